// src/store/messages.js: merging what arrives in any order.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { asTombstone, merge, within } from '../src/store/messages.js';

const message = (id, updatedSeq = id, more = {}) => ({ id, updatedSeq, message: `${id}/${updatedSeq}`, deletedAt: null, replyTo: null, ...more });
const texts = (list) => list.map((each) => each.message);

test('messages are in the order of their ids, whatever the order in which they come', () => {
  assert.deepEqual(texts(merge([message(2)], [message(3), message(1)])), ['1/1', '2/2', '3/3']);
});

test('the newer state of a message wins, whichever comes first', () => {
  assert.deepEqual(texts(merge([message(1, 5)], [message(1, 3)])), ['1/5']);
  assert.deepEqual(texts(merge([message(1, 3)], [message(1, 5)])), ['1/5']);
  assert.deepEqual(texts(merge([], [message(1, 5), message(1, 3)])), ['1/5']);
});

test('a list that learns nothing new is the same list', () => {
  const list = [message(1), message(2)];
  assert.equal(merge(list, [message(1), message(2)]), list);
  assert.equal(merge(list, []), list);
});

test('the messages that do not change are the same objects', () => {
  const list = [message(1), message(2)];
  const merged = merge(list, [message(2, 7), message(3)]);
  assert.equal(merged[0], list[0]);
  assert.notEqual(merged[1], list[1]);
});

test('a deletion empties the quotes of the message, in what is there and in what comes with it', () => {
  const quote = (id) => message(id, id, { replyToId: 1, replyTo: { id: 1, senderId: 2, message: 'secret' } });
  const list = [message(1), quote(2), message(3)];
  const deleted = asTombstone(list[0], { seq: 9, timestamp: '2025-10-09T12:00:00.000Z' });
  const merged = merge(list, [deleted, quote(4)]);
  assert.deepEqual(merged.map(({ replyTo }) => replyTo?.message), [undefined, '', undefined, '']);
  assert.equal(merged[2], list[2]);
  assert.equal(list[1].replyTo.message, 'secret', 'the old object is as it was');
});

test('a change to a message before the part that is loaded makes no gap in it', () => {
  const messages = [message(10), message(11)];
  const told = [message(3, 20), message(10, 21), message(12)];
  assert.deepEqual(texts(within({ messages, hasBefore: true }, told)), ['10/21', '12/12']);
  assert.deepEqual(within({ messages, hasBefore: false }, told), told);
  assert.deepEqual(within({ messages: [], hasBefore: true }, told), told);
});
