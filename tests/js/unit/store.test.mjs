// static/ui/store.js: what the page makes of pushes and answers, in whatever order they come.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ChatStore } from '../../../static/ui/store.js';

const ME = 1;
const at = (minute) => `2025-10-09T12:${String(minute).padStart(2, '0')}:00.000Z`;
const failing = (code) => Object.assign(new Error(code), { code, retryable: false });

const person = (userId, name = null, role = 'member') => ({ userId, role, name, avatarUrl: null, lastReadMessageId: null });

const chat = (id, more = {}) => ({
  id, type: 'group', title: `Chat ${id}`, metadata: null, updatedAt: at(id), seq: 1, role: 'member', unreadCount: 0, lastReadMessageId: null,
  lastMessage: null, ...more,
});

const message = (id, more = {}) => ({
  id, chatId: 3, updatedSeq: id, senderId: 2, message: `message ${id}`, createdAt: at(30), editedAt: null, deletedAt: null, replyTo: null, ...more,
});

/** The client as the store sees it: it answers what the test says, and pushes what the test pushes. */
class Client {
  user = { id: ME, name: 'Me', avatarUrl: null };
  listeners = new Map();
  asked = [];
  opened = [];
  errors = [];
  answers = { '/chats': () => ({ data: [chat(3), chat(2)], page: { nextCursor: null } }) };

  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    return () => this.listeners.set(event, this.listeners.get(event).filter((each) => each !== listener));
  }

  push(event, data) {
    this.listeners.get(event)?.forEach((listener) => listener(data));
  }

  async get(path) {
    this.asked.push(path);
    const [route] = path.split('?');
    if (!this.answers[route]) throw failing('NOT_FOUND');
    return this.answers[route](path);
  }

  async open(chatId, place) { this.opened.push([chatId, place]); }
  async leave() {}
  placeOf(chatId) { return { cursor: chatId, epoch: 'e' }; }
  async presence(ids) { this.asked.push(ids); return ids.map((userId) => ({ userId, status: 'online', lastSeenAt: null })); }
}

async function until(holds) {
  for (const deadline = Date.now() + 5_000; !holds();) {
    assert.ok(Date.now() < deadline, 'it did not come true in time');
    await sleep(2);
  }
}

/** A store that is online, with chat 3 open and chat 2 beside it. */
async function online(client = new Client()) {
  const store = new ChatStore(client, { onError: (error) => client.errors.push(error.code) });
  client.push('state', { state: 'online' });
  await until(() => store.state.chatId !== null);
  client.push('history', {
    chatId: 3, messages: [message(10), message(11)], hasBefore: true, reset: true,
    joined: { role: 'member', unreadCount: 0, lastReadMessageId: 10, reads: [], typing: [], sync: { participants: [person(ME, 'Me'), person(2, 'Grace')] } },
  });
  return { client, store };
}

const ids = (list) => list.map(({ id }) => id);

test('after the stop the store listens to nothing any more', async () => {
  const { client, store } = await online();
  store.stop();
  assert.equal([...client.listeners.values()].flat().length, 0);
});

test('the people of a chat come with the join, and who comes and goes with the pushes: REST is not asked', async () => {
  const { client, store } = await online();
  client.push('participantAdded', { chatId: 3, participant: person(4, 'Linus'), participantCount: 3 });
  client.push('participantUpdated', { chatId: 3, participant: person(4, 'Linus', 'moderator'), participantCount: 3 });
  client.push('participantRemoved', { chatId: 3, participantId: 2, participantCount: 2 });
  assert.deepEqual(store.state.people.map(({ userId, name, role }) => [userId, name, role]), [[ME, 'Me', 'member'], [4, 'Linus', 'moderator']]);
  await until(() => store.state.presence.has(4));
  assert.deepEqual(client.asked.filter((each) => typeof each === 'string' && !each.startsWith('/chats?')), []);
  store.stop();
});

test('a large chat that one is put into is told with its first people only: the others come with the join', async () => {
  const { client, store } = await online();
  const some = Array.from({ length: 50 }, (_, index) => person(100 + index, `Person ${index}`));
  client.push('chatCreated', { chatId: 9, chat: chat(9, { participantCount: 60, participants: some }), seq: 61, timestamp: at(50) });
  assert.equal(store.state.chats[0].participantCount, 60);
  await store.select(9);
  const all = [...some, ...Array.from({ length: 10 }, (_, index) => person(200 + index, `Later ${index}`))];
  client.push('history', {
    chatId: 9, messages: [], hasBefore: false, reset: true,
    joined: { role: 'member', unreadCount: 0, lastReadMessageId: null, reads: [], typing: [], sync: { participants: all } },
  });
  assert.equal(store.state.people.length, 60);
  store.stop();
});

test('a change of one message leaves the others, and a push about something else leaves the list, the same objects', async () => {
  const { client, store } = await online();
  const before = store.state;
  client.push('messageUpdated', { message: message(11, { updatedSeq: 12, message: 'edited', editedAt: at(31) }) });
  assert.equal(store.state.messages[0], before.messages[0]);
  const { messages, people } = store.state;
  client.push('presenceChanged', { userId: 2, status: 'online' });
  client.push('unreadUpdated', { chatId: 2, unreadCount: 3, lastMessage: message(20, { chatId: 2, createdAt: at(40) }) });
  assert.equal(store.state.messages, messages);
  assert.equal(store.state.people, people);
  assert.deepEqual(ids(store.state.chats), [2, 3]);
  store.stop();
});

test('an edit of a message before the loaded part does not tear the history', async () => {
  const { client, store } = await online();
  client.push('messageUpdated', { message: message(4, { updatedSeq: 12, editedAt: at(31) }) });
  client.push('history', { chatId: 3, reset: false, messages: [message(5, { updatedSeq: 13 }), message(12)] });
  assert.deepEqual(ids(store.state.messages), [10, 11, 12]);
  store.stop();
});

test('an answer that was under way when one was removed does not bring the chat back', async () => {
  const { client, store } = await online();
  let release;
  client.answers['/chats/9'] = () => new Promise((resolve) => { release = () => resolve({ data: chat(9) }); });
  client.push('participantAdded', { chatId: 9, participant: person(ME), participantCount: 2 });
  await until(() => release);
  client.push('removedFromChat', { chatId: 9, reason: 'removed' });
  release();
  await sleep(10);
  assert.deepEqual(ids(store.state.chats), [3, 2]);
  store.stop();
});

test('whoever is removed from the open chat sees why, and no error', async () => {
  const { client, store } = await online();
  client.push('participantRemoved', { chatId: 3, participantId: ME, participantCount: 1 });
  client.push('removedFromChat', { chatId: 3, reason: 'left' });
  const { chatId, gone, chat: open, chats } = store.state;
  assert.deepEqual([chatId, gone, open.title, ids(chats)], [3, 'left', 'Chat 3', [2]]);
  client.edit = async () => { throw failing('NOT_PARTICIPANT'); };
  assert.equal(await store.edit(11, 'too late'), false);
  assert.deepEqual(client.errors, []);
  client.answers['/chats/3'] = () => ({ data: chat(3) });
  client.push('participantAdded', { chatId: 3, participant: person(ME), participantCount: 2 });
  assert.equal(store.state.gone, null);
  assert.deepEqual(client.opened.at(-1), [3, undefined]);
  store.stop();
});

test('a room that is lost tells whether one was removed or the chat is gone', async () => {
  for (const [code, gone] of [['NOT_PARTICIPANT', 'removed'], ['NOT_FOUND', 'deleted']]) {
    const { client, store } = await online();
    client.push('roomLost', { chatId: 3, error: failing(code) });
    assert.equal(store.state.gone, gone);
    store.stop();
  }
});

test('loading, failed and ready are told apart, and trying again begins with loading', async () => {
  const client = new Client();
  const store = new ChatStore(client, { onError: assert.fail });
  client.push('state', { state: 'online' });
  await until(() => store.state.chatId !== null);
  assert.deepEqual([store.state.loading, store.state.failed], [true, null]);
  client.push('roomFailed', { chatId: 3, error: failing('UNREACHABLE') });
  assert.deepEqual([store.state.loading, store.state.failed.code], [true, 'UNREACHABLE']);
  await store.retry();
  assert.deepEqual([store.state.loading, store.state.failed], [true, null]);
  assert.deepEqual(client.opened.map(([chatId]) => chatId), [3, 3]);
  client.push('history', { chatId: 3, messages: [], hasBefore: false, reset: true });
  assert.deepEqual([store.state.loading, store.state.failed, store.state.messages], [false, null, []]);
  store.stop();
});

test('going back to a chat shows what was there, and the client goes on at its place', async () => {
  const { client, store } = await online();
  await store.select(2);
  assert.deepEqual([store.state.messages, store.state.loading], [[], true]);
  client.push('userUpdated', { user: { id: 2, name: 'Grace Hopper', avatarUrl: null } });
  await store.select(3);
  assert.deepEqual([ids(store.state.messages), store.state.loading], [[10, 11], false]);
  assert.deepEqual(store.state.people.map(({ name }) => name), ['Me', 'Grace Hopper']);
  assert.deepEqual(client.opened.at(-1), [3, { cursor: 3, epoch: 'e' }]);
  store.stop();
});

test('what fails in the background is told once; what somebody did is told each time', async () => {
  const { client, store } = await online();
  await until(() => store.state.presence.size > 0);
  const asked = [];
  client.presence = async (ids) => { asked.push(ids); throw failing('REJECTED'); };
  for (const userId of [50, 51]) {
    client.push('participantAdded', { chatId: 3, participant: person(userId, 'x'), participantCount: 3 });
    await until(() => asked.flat().includes(userId));
  }
  await sleep(10);
  assert.equal(asked.length, 2);
  assert.deepEqual(client.errors, ['REJECTED']);
  client.edit = async () => { throw failing('FORBIDDEN'); };
  for (let count = 0; count < 2; count += 1) await store.edit(11, 'x');
  assert.deepEqual(client.errors, ['REJECTED', 'FORBIDDEN', 'FORBIDDEN']);
  store.stop();
});

test('a thousand people who come online draw the page a few times', async () => {
  const { client, store } = await online();
  let draws = 0;
  store.subscribe(() => { draws += 1; });
  for (let userId = 100; userId < 1_100; userId += 1) client.push('presenceChanged', { userId, status: 'online' });
  await until(() => draws > 0);
  assert.equal(draws, 1);
  assert.equal(store.state.presence.get(1_099).status, 'online');
  store.stop();
});

test('names of senders without a seat are asked for together, and unknown ones once', async () => {
  const { client, store } = await online();
  client.answers['/users'] = () => ({ data: [{ id: 7, name: 'Linus', avatarUrl: null }] });
  client.push('newMessage', { message: message(12, { senderId: 7 }) });
  client.push('newMessage', { message: message(13, { senderId: 8 }) });
  await until(() => store.state.users.get(7)?.name === 'Linus');
  client.push('newMessage', { message: message(14, { senderId: 8 }) });
  await sleep(300);
  assert.deepEqual(client.asked.filter((each) => String(each).startsWith('/users')), ['/users?ids=7,8']);
  store.stop();
});

test('two messages of one id, pushed and acked, are one; what one wrote oneself is not unread', async () => {
  const { client, store } = await online();
  const mine = message(12, { senderId: ME });
  client.push('newMessage', { message: mine });
  client.push('sent', { ...mine });
  assert.deepEqual(ids(store.state.messages), [10, 11, 12]);
  assert.equal(store.state.messages[2], mine);
  assert.equal(store.state.chat.unreadCount, 0);
  store.stop();
});
