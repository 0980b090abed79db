// src/store/store.js: what a user interface subscribes to, between a whole client and a server that is told what to say.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatStore } from '../src/store/store.js';
import { aClient, joined } from './support/client.mjs';
import { good, settle } from './support/fakes.mjs';

const at = (minute) => `2025-10-09T12:${String(minute).padStart(2, '0')}:00.000Z`;
const message = (id, chatId = 1, more = {}) => ({
  id, chatId, seq: id, updatedSeq: id, senderId: 2, message: `m${id}`, createdAt: at(id), editedAt: null, deletedAt: null, replyTo: null, ...more,
});
const push = (id, chatId) => ({ chatId, seq: id, message: message(id, chatId) });
const chat = (id) => ({ id, type: 'group', title: `Chat ${id}`, updatedAt: at(id), role: 'member', unreadCount: 0, lastMessage: null });
const ids = (list) => list.map(({ id }) => id);

function joins(chatId, reset = false) {
  const ack = joined(chatId, { chatId, messages: [], fromSeq: 0, toSeq: 1, hasMore: false, reset });
  return { ...ack, data: { ...ack.data, role: 'member', unreadCount: 0, lastReadMessageId: null } };
}

/** Online, with these chats followed; each has one message. */
async function following(...chatIds) {
  const fetch = async (url) => (String(url).includes('/chat-messages')
    ? good([message(1, Number(/chatId=(\d+)/.exec(url)[1]))], { page: { hasBefore: false, seq: 1 } })
    : good([chat(2), chat(1)], { page: { nextCursor: null } }));
  const all = aClient({ fetch });
  all.server.answer = (event, { chatId } = {}) => (event === 'joinChat' ? joins(chatId) : null);
  const store = new ChatStore(all.client);
  await all.connect();
  const stops = chatIds.map((chatId) => store.follow(chatId));
  await settle();
  return { ...all, store, stops };
}

test('a message changes the chat it is in, and nothing of the others', async () => {
  const { server, store } = await following(1, 2);
  const [before, other, list] = [store.getChat(1), store.getChat(2), store.getTimeline(2)];
  server.last.push('newMessage', push(2, 1));
  assert.notEqual(store.getChat(1), before);
  assert.deepEqual(ids(store.getTimeline(1)), [1, 2]);
  assert.equal(store.getChat(2), other);
  assert.equal(store.getTimeline(2), list);
  store.stop();
});

test('what changes nothing makes no new snapshot and calls no listener', async () => {
  const { server, store } = await following(1);
  server.last.push('newMessage', push(2, 1));
  const [snapshot, timeline] = [store.getSnapshot(), store.getTimeline(1)];
  let calls = 0;
  store.subscribe(() => { calls += 1; });
  server.last.push('newMessage', push(2, 1));
  server.last.push('messageRead', { chatId: 9, userId: 2, messageId: 1 });
  assert.equal(store.getSnapshot(), snapshot);
  assert.equal(store.getTimeline(1), timeline);
  assert.equal(calls, 0);
  store.stop();
});

test('what is sent is at the end of the chat at once, and is one message when it is stored', async () => {
  const { client, server, store } = await following(1);
  let answer;
  server.answer = (event, { clientMessageId, content }) => (event === 'sendMessage'
    ? new Promise((resolve) => { answer = () => resolve({ success: true, data: message(2, 1, { senderId: 1, clientMessageId, message: content }) }); })
    : null);
  client.send(1, 'hello');
  assert.deepEqual(store.getTimeline(1).map(({ id, message: text, delivery }) => [id, text, delivery]), [[1, 'm1', undefined], [null, 'hello', 'pending']]);
  await settle();
  answer();
  await settle();
  assert.deepEqual(store.getTimeline(1).map(({ id, message: text, delivery }) => [id, text, delivery]), [[1, 'm1', undefined], [2, 'hello', undefined]]);
  store.stop();
});

test('a store that comes late has what waits to be sent', async () => {
  const { client } = aClient();
  client.send(1, 'written before');
  const store = new ChatStore(client);
  assert.equal(store.getSnapshot().outbox.length, 1);
  store.stop();
});

test('who stops to follow and begins again in the same moment leaves no room', async () => {
  const { server, store, stops: [stop] } = await following(1);
  stop();
  const again = store.follow(1);
  await settle();
  assert.deepEqual([server.payloads('leaveChat'), server.payloads('joinChat').length], [[], 1]);
  stop();
  stop();
  await settle();
  assert.deepEqual(ids(store.getChat(1).messages), [1]);
  again();
  await settle();
  assert.deepEqual(server.payloads('leaveChat'), [{ chatId: 1 }]);
  assert.equal(store.getChat(1), undefined);
  store.stop();
});

test('of two who follow a chat the last one leaves its room', async () => {
  const { server, store, stops } = await following(1, 1);
  stops[0]();
  await settle();
  assert.deepEqual(server.payloads('leaveChat'), []);
  stops[1]();
  await settle();
  assert.equal(server.payloads('leaveChat').length, 1);
  store.stop();
});

test('a chat from which one is removed goes out of the list, and who follows it is told why', async () => {
  const { server, store } = await following(1);
  server.last.push('removedFromChat', { chatId: 1, reason: 'removed' });
  assert.deepEqual(ids(store.getSnapshot().chats), [2]);
  assert.equal(store.getChat(1).gone, 'removed');
  store.stop();
});

test('an unread count is the one that the server tells', async () => {
  const { server, store } = await following();
  server.last.push('unreadUpdated', { chatId: 1, unreadCount: 7, lastReadMessageId: null, lastMessage: message(9, 1), seq: 9 });
  server.last.push('unreadUpdated', { chatId: 1, unreadCount: 3, lastReadMessageId: 6, lastMessage: message(9, 1), seq: 9 });
  assert.deepEqual(store.getSnapshot().chats.map(({ id, unreadCount }) => [id, unreadCount]), [[1, 3], [2, 0]]);
  store.stop();
});

test('an epoch that changes replaces the messages, and a gap is filled in order', async () => {
  const { client, server, store } = await following(1);
  server.answer = (event) => (event === 'sync'
    ? { success: true, data: { chats: [{ chatId: 1, messages: [message(2), message(3)], fromSeq: 1, toSeq: 3, hasMore: false, reset: false }] } }
    : null);
  server.last.push('newMessage', push(4, 1));
  await settle();
  assert.deepEqual(ids(store.getTimeline(1)), [1, 2, 3, 4]);
  server.answer = (event) => (event === 'joinChat' ? joins(1, true) : null);
  client.pause();
  client.resume();
  await settle();
  assert.deepEqual(ids(store.getTimeline(1)), [1]);
  store.stop();
});
