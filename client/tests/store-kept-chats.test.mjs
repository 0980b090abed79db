// src/store/kept-chats.js: what was seen of other chats, within bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeptChats } from '../src/store/kept-chats.js';

const messages = (count) => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

test('what is kept comes back once, as it was', () => {
  const kept = new KeptChats();
  const seen = { messages: messages(3), hasBefore: false, people: [], place: { cursor: 3, epoch: 'e' } };
  kept.keep(1, seen);
  assert.deepEqual(kept.take(1), seen);
  assert.equal(kept.take(1), undefined);
});

test('of many messages the newest five hundred are kept, and earlier ones can be loaded', () => {
  const kept = new KeptChats();
  kept.keep(1, { messages: messages(700), hasBefore: false });
  const { messages: newest, hasBefore } = kept.take(1);
  assert.deepEqual([newest.length, newest[0].id, newest.at(-1).id, hasBefore], [500, 201, 700, true]);
});

test('the twenty chats that were left last are kept', () => {
  const kept = new KeptChats();
  for (let id = 1; id <= 20; id += 1) kept.keep(id, { messages: [], hasBefore: false });
  kept.keep(1, { messages: [], hasBefore: false }); // left once more
  kept.keep(21, { messages: [], hasBefore: false });
  assert.equal(kept.take(2), undefined);
  assert.ok(kept.take(1) && kept.take(3) && kept.take(21));
});

test('a chat one is no longer in is forgotten', () => {
  const kept = new KeptChats();
  kept.keep(1, { messages: messages(3), hasBefore: false });
  kept.drop(1);
  assert.equal(kept.take(1), undefined);
});
