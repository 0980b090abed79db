// static/ui/announcer.js: what a screen reader is told of the log.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newOnes, spoken } from '../../../static/ui/announcer.js';

const message = (id, senderId, text = `m${id}`, more = {}) => ({ id, senderId, message: text, ...more });
const nameFor = (id) => ({ 7: 'Ada', 8: 'Grace' })[id];

test('new messages of others are told, one\'s own and deleted ones are not', () => {
  const messages = [message(1, 8), message(2, 7), message(3, 8), message(4, 8, '', { deletedAt: 'x' }), message(5, 8)];
  assert.deepEqual(newOnes(messages, 1, 7).map(({ id }) => id), [3, 5]);
});

test('lines of the timeline are nobody\'s messages', () => {
  assert.deepEqual(newOnes([message(2, 8, 'left the chat', { system: { kind: 'participantLeft', by: 8, userIds: [8] } })], 1, 7), []);
});

test('earlier messages are not new', () => {
  assert.deepEqual(newOnes([message(1, 8), message(2, 8), message(9, 8)], 9, 7), []);
});

test('a message is told with the name of its sender', () => {
  assert.deepEqual(spoken([message(3, 8, 'hello')], nameFor), [{ key: 3, text: 'Grace: hello' }]);
});

test('many at once are counted', () => {
  const many = Array.from({ length: 12 }, (_, index) => message(index + 1, 8));
  assert.deepEqual(spoken(many, nameFor), [{ key: 12, text: '12 new messages' }]);
});

test('a long text is cut, between characters, and one without visible text is named', () => {
  const [{ text }] = spoken([message(1, 8, '😀'.repeat(1_000))], nameFor);
  assert.ok(text.length < 400 && text.isWellFormed?.() !== false);
  assert.match(spoken([message(2, 8, '\u200b')], nameFor)[0].text, /without visible text/);
});
