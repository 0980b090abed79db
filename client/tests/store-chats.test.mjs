// src/store/chats.js: the list of chats, the last active first.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as chats from '../src/store/chats.js';

const at = (minute) => `2025-10-09T12:${String(minute).padStart(2, '0')}:00.000Z`;

const message = (id, minute, more = {}) => ({
  id, chatId: 1, updatedSeq: id, senderId: 2, message: `message ${id}`, createdAt: at(minute), deletedAt: null, ...more,
});

const chat = (id, minute, more = {}) => ({
  id, type: 'group', title: `Chat ${id}`, metadata: null, updatedAt: at(minute), role: 'member', unreadCount: 0, lastReadMessageId: null,
  lastMessage: null, peerId: null, ...more,
});

const ids = (list) => list.map(({ id }) => id);
const list = [chat(3, 30), chat(2, 20), chat(1, 10)];

test('a chat with a new message goes to the top, and the others are the same objects', () => {
  const moved = chats.put(list, chats.withMessage(list[2], message(9, 40), 5));
  assert.deepEqual(ids(moved), [1, 3, 2]);
  assert.equal(moved[1], list[0]);
});

test('a chat that is put where it is keeps its place, and the same chat keeps the list', () => {
  const read = chats.patched(chat(2, 20, { unreadCount: 3 }), { unreadCount: 0 });
  assert.deepEqual(ids(chats.put(list, read)), [3, 2, 1]);
  assert.equal(chats.put(list, list[1]), list);
});

test('a new chat goes where its activity belongs', () => {
  assert.deepEqual(ids(chats.put(list, chat(4, 25))), [3, 4, 2, 1]);
  assert.deepEqual(ids(chats.put(list, chat(4, 5))), [3, 2, 1, 4]);
  assert.deepEqual(ids(chats.put([], chat(4, 5))), [4]);
});

test('pages are put in order whatever came before, and a page that is known changes nothing', () => {
  assert.deepEqual(ids(chats.putAll([chat(1, 10)], [chat(3, 30), chat(2, 20)])), [3, 2, 1]);
  assert.equal(chats.putAll(list, list.slice(1)), list);
});

test('a rename counts as activity, as the server sorts', () => {
  const said = chat(1, 10, { lastMessage: message(1, 15) });
  assert.equal(chats.activityOf(said), at(15));
  assert.equal(chats.activityOf(chats.patched(said, { title: 'New', updatedAt: at(16) })), at(16));
});

test('a message of somebody else is unread, once however often it is told, and never more than a hundred', () => {
  const once = chats.withMessage(list[0], message(9, 40), 5);
  assert.equal(once.unreadCount, 1);
  assert.equal(chats.withMessage(once, message(9, 40), 5), once);
  assert.equal(chats.withMessage(chat(1, 1, { unreadCount: 100 }), message(9, 40), 5).unreadCount, 100);
});

test('whoever writes in a chat has read it', () => {
  const unread = chat(1, 1, { unreadCount: 4, lastMessage: message(8, 39) });
  assert.equal(chats.withMessage(unread, message(9, 40, { senderId: 5 }), 5).unreadCount, 0);
});

test('an edit or a deletion of the last message shows in the preview, of an earlier one it does not', () => {
  const last = chat(1, 1, { lastMessage: message(8, 39), unreadCount: 1 });
  const edited = chats.withMessage(last, message(8, 39, { updatedSeq: 12, message: 'edited' }), 5);
  assert.equal(edited.lastMessage.message, 'edited');
  assert.equal(edited.unreadCount, 1);
  assert.equal(chats.withMessage(last, message(7, 38, { updatedSeq: 12 }), 5), last);
  const deleted = chats.withDeletion(edited, { messageId: 8, seq: 13, timestamp: at(41) });
  assert.equal(deleted.lastMessage.message, '');
  assert.equal(deleted.lastMessage.deletedAt, at(41));
  assert.equal(chats.withDeletion(edited, { messageId: 7, seq: 13, timestamp: at(41) }), edited);
});

test('an older state of the last message never comes back', () => {
  const deleted = chat(1, 1, { lastMessage: message(8, 39, { updatedSeq: 12, deletedAt: at(40), message: '' }) });
  assert.equal(chats.patched(deleted, { lastMessage: message(8, 39) }), deleted);
  assert.equal(chats.patched(deleted, { lastMessage: message(7, 38) }), deleted);
  assert.equal(chats.patched(deleted, { lastMessage: null }), deleted);
});

test('what the server tells again unchanged is the same object', () => {
  const known = chat(1, 10, { peerId: 7, lastMessage: message(8, 9), metadata: { order: 1 } });
  const told = { ...chat(1, 10, { lastMessage: message(8, 9), metadata: { order: 1 } }) };
  assert.equal(chats.renewed(known, told), known);
  assert.equal(chats.renewed(known, { ...told, unreadCount: 2 }).unreadCount, 2);
  assert.equal(chats.renewed(known, { ...told, unreadCount: 2 }).peerId, 7);
});

test('an answer that a push has overtaken brings back neither the count nor the message nor the title', () => {
  const known = chat(1, 20, { title: 'New', unreadCount: 0, lastMessage: message(9, 21) });
  const told = chat(1, 10, { title: 'Old', unreadCount: 5, lastMessage: message(8, 9), participantCount: 3 });
  const now = chats.overtaken(known, told);
  assert.deepEqual([now.title, now.unreadCount, now.lastMessage.id, now.participantCount], ['New', 0, 9, 3]);
});

test('a list from which nothing goes is the same list', () => {
  assert.equal(chats.without(list, ({ id }) => id === 99), list);
  assert.deepEqual(ids(chats.without(list, ({ id }) => id === 2)), [3, 1]);
});
