// static/ui/log-rows.js: days and groups of messages, and what stays the same object between two layouts.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unsent } from '../../../client/src/store/unsent.js';
import { layOut } from '../../../static/ui/log-rows.js';

const START = new Date(2026, 4, 1, 9, 0, 0).getTime();
const message = (id, senderId, minutes, more = {}) => ({
  id, senderId, message: `m${id}`, createdAt: new Date(START + minutes * 60_000).toISOString(), ...more,
});
const shape = (days) => days.map(({ rows }) => rows.map(({ message: { id }, first, last }) => `${first ? '[' : ''}${id}${last ? ']' : ''}`).join(' '));

test('messages of one sender within five minutes are a group', () => {
  const messages = [message(1, 7, 0), message(2, 7, 4), message(3, 7, 9), message(4, 8, 9), message(5, 8, 10)];
  assert.deepEqual(shape(layOut(messages, 7)), ['[1 2] [3] [4 5]']);
});

test('a new day begins a new group', () => {
  const messages = [message(1, 7, 0), message(2, 7, 15 * 60 - 1), message(3, 7, 15 * 60)];
  assert.deepEqual(shape(layOut(messages, 7)), ['[1] [2]', '[3]']);
});

test('own messages are told from those of others', () => {
  const [day] = layOut([message(1, 7, 0), message(2, 8, 1)], 7);
  assert.deepEqual(day.rows.map(({ own }) => own), [true, false]);
});

test('one message more changes its own row and the one before it, in the last day only', () => {
  const old = [message(1, 7, -24 * 60), message(2, 7, 0), message(3, 8, 1), message(4, 8, 2)];
  const before = layOut(old, 7);
  const after = layOut([...old, message(5, 8, 3)], 7, before);
  assert.equal(after[0], before[0]);
  assert.deepEqual(after[1].rows.slice(0, 2), before[1].rows.slice(0, 2));
  after[1].rows.slice(0, 2).forEach((row, index) => assert.equal(row, before[1].rows[index]));
  assert.notEqual(after[1].rows[2], before[1].rows[2]); // no longer the last of its group
});

test('the same messages laid out again are the same days', () => {
  const messages = [message(1, 7, 0), message(2, 8, 1)];
  const before = layOut(messages, 7);
  layOut([...messages], 7, before).forEach((day, index) => assert.equal(day, before[index]));
});

test('a date is read once, however often its message is laid out', () => {
  let reads = 0;
  const watched = { ...message(1, 7, 0), get createdAt() { reads += 1; return new Date(START).toISOString(); } };
  for (let run = 0; run < 5; run += 1) layOut([watched, message(2, 8, 1)], 7);
  assert.equal(reads, 1);
});

const item = (more = {}) => ({ clientMessageId: 'k', chatId: 1, content: 'hi', status: 'pending', error: null, createdAt: new Date(START).toISOString(), ...more });

test('what is not stored yet is shown as a message of one\'s own, until the stored one is there', () => {
  const [waiting] = unsent([item()], [], 7);
  assert.deepEqual([waiting.id, waiting.senderId, waiting.message, waiting.delivery], [null, 7, 'hi', 'pending']);
  assert.deepEqual(unsent([item()], [message(1, 7, 0, { clientMessageId: 'k' })], 7), []);
  assert.equal(unsent([item()], [message(1, 8, 0, { clientMessageId: 'k' })], 7).length, 1);
});

test('an unsent message is the same object while nothing of it changes, also when its item is changed in place', () => {
  const kept = item();
  const [first] = unsent([kept], [], 7);
  assert.equal(unsent([kept], [], 7)[0], first);
  kept.status = 'failed';
  assert.equal(unsent([kept], [], 7)[0].delivery, 'failed');
});

test('one element stays from pending to stored: both have the same key', () => {
  const [waiting] = layOut(unsent([item()], [], 7), 7)[0].rows;
  const [stored] = layOut([message(1, 7, 0, { clientMessageId: 'k' })], 7)[0].rows;
  assert.equal(waiting.key, stored.key);
});
