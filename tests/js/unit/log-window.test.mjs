// static/ui/log-window.js: which of the loaded messages are in the DOM.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atTheEnd, earlier, fit, later, MOST, rangeOf, STEP, WHOLE } from '../../../static/ui/log-window.js';

const upTo = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => ({ id: (first + index) * 2 }));
const size = ({ start, end }) => end - start;
const shown = (messages, window) => rangeOf(messages, window);

test('a short log is shown whole', () => {
  assert.deepEqual(fit(upTo(MOST), WHOLE, { atEnd: true }), WHOLE);
  assert.deepEqual(shown([], WHOLE), { start: 0, end: 0 });
});

test('a reader at the end sees the newest, and makes room for a step at once', () => {
  const messages = upTo(MOST + 1);
  const window = fit(messages, WHOLE, { atEnd: true });
  assert.deepEqual(shown(messages, window), { start: 1 + STEP, end: MOST + 1 });
  const more = upTo(MOST + 50);
  assert.equal(fit(more, window, { atEnd: true }).firstId, window.firstId);
  assert.equal(shown(more, window).end, MOST + 50);
});

test('a reader further up keeps what is in view, whatever is added at either end', () => {
  const messages = upTo(MOST);
  const loaded = [...upTo(0, -49), ...messages]; // 50 earlier ones
  const window = fit(loaded, WHOLE, { atEnd: false });
  assert.deepEqual(shown(loaded, window), { start: 0, end: MOST });
  const followed = upTo(MOST + 30);
  assert.deepEqual(shown(followed, fit(followed, WHOLE, { atEnd: false })), { start: 0, end: MOST });
});

test('never more than the limit, and every message can be reached, up and down', () => {
  const messages = upTo(3_030);
  let window = atTheEnd(messages);
  const seen = new Set();
  const look = () => {
    const range = shown(messages, window);
    assert.ok(size(range) <= MOST);
    for (let at = range.start; at < range.end; at += 1) seen.add(at);
    return range;
  };
  while (look().start > 0) window = fit(messages, earlier(messages, window), { atEnd: false });
  assert.equal(seen.size, 3_030);
  while (look().end < 3_030) window = fit(messages, later(messages, window), { atEnd: false });
  assert.equal(window.lastId, null);
});

test('a step keeps most of what was shown, so that the place can be kept', () => {
  const messages = upTo(3_000);
  const before = shown(messages, atTheEnd(messages));
  const after = shown(messages, earlier(messages, atTheEnd(messages)));
  assert.equal(before.start - after.start, STEP);
  assert.ok(after.end > before.start + STEP);
});

test('while a message is being edited nothing leaves', () => {
  const messages = upTo(900);
  assert.deepEqual(fit(messages, WHOLE, { atEnd: true, most: Infinity }), WHOLE);
});

test('when what was shown is gone, the newest are shown', () => {
  const old = { firstId: 10, lastId: 20 };
  const messages = upTo(1_200, 1_000);
  const { start, end } = shown(messages, fit(messages, old, { atEnd: false }));
  assert.equal(end, messages.length);
  assert.ok(end > start);
});
