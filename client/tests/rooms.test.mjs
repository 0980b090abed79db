// src/rooms.js through the client: a chat that is followed is followed until the server says it is not ours.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aClient, joined, page, syncPage } from './support/client.mjs';
import { good, refusal, response, settle } from './support/fakes.mjs';

const MINUTE = 60_000;
const push = (seq) => ({ chatId: 1, seq, message: { id: seq, senderId: 2 } });

/** A client that follows chat 1 and has its messages up to 5. */
async function following(more) {
  const made = aClient({ fetch: async () => page([4, 5]), ...more });
  await made.client.open(1);
  await made.connect();
  return made;
}

test('it is joined at each connect, and only what was missed is asked for', async () => {
  const { server, clock, heard } = await following();
  assert.deepEqual(heard.of('history').map(({ reset, messages }) => [reset, messages.length]), [[true, 2]]);
  server.answer = (event) => (event === 'joinChat' ? joined(1, syncPage(1, [6, 7], { participants: ['Ada'] })) : null);
  server.last.drop();
  await clock.advance(5_000);
  assert.deepEqual(server.payloads('joinChat').at(-1), { chatId: 1, since: 5, epoch: 'e1', limit: 200 });
  const missed = heard.of('history').at(-1);
  assert.deepEqual([missed.reset, missed.messages.map(({ id }) => id), missed.participants], [false, [6, 7], ['Ada']]);
});

test('forty chats are all joined in the end, though the server lets in thirty at once', async () => {
  const { client, server, clock, connect, heard } = aClient();
  for (let chatId = 1; chatId <= 40; chatId += 1) client.open(chatId);
  let budget = 30;
  server.answer = (event) => {
    if (event !== 'joinChat') return null;
    budget -= 1;
    return budget < 0 ? refusal('RATE_LIMITED', { retryable: true, retryAfter: 0.2 }) : null;
  };
  await connect();
  assert.equal(client.state, 'online'); // not held up by those that wait
  assert.equal(heard.of('history').length, 30);
  budget = 30;
  await clock.advance(2_000);
  assert.deepEqual(new Set(heard.of('history').map(({ chatId }) => chatId)).size, 40);
  assert.deepEqual(heard.codes(), []);
});

test('chats that fail for long do not hold up the others', async () => {
  const { client, server, connect, heard } = aClient();
  for (let chatId = 1; chatId <= 20; chatId += 1) client.open(chatId);
  server.answer = (event, payload) => (event === 'joinChat' && payload.chatId <= 10 ? refusal('PLUGIN_ERROR', { retryable: true }) : null);
  await connect();
  assert.deepEqual(heard.of('history').map(({ chatId }) => chatId), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
});

test('a failure that may pass never drops a room, neither of the socket nor of REST', async () => {
  const passing = [
    { join: refusal('STORAGE_UNAVAILABLE', { retryable: true }) },
    { join: refusal('NOT_PARTICIPANT', { retryable: true }) }, // whatever the code: the server says it may pass
    { join: 'lost' },
    { fetch: response(502, '<html>') },
    { fetch: response(500, '') },
    { fetch: response(429, refusal('RATE_LIMITED', { retryable: true })) },
  ];
  for (const { join, fetch } of passing) {
    let isDown = true;
    const { client, server, clock, connect, heard } = aClient({ fetch: async () => (isDown && fetch ? fetch : page([5])) });
    server.answer = (event) => (event === 'joinChat' && isDown && join ? join : null);
    client.open(1);
    await connect();
    await clock.advance(MINUTE);
    assert.equal(heard.of('history').length, 0);
    if (join !== 'lost') assert.equal(heard.of('roomFailed')[0].error.retryable, true);
    assert.deepEqual([heard.of('roomLost'), heard.codes()], [[], []]);
    isDown = false;
    if (join === 'lost') server.last.drop();
    await clock.advance(MINUTE);
    assert.equal(heard.of('history').length, 1);
    server.last.push('newMessage', push(6));
    assert.deepEqual(heard.of('newMessage').map(({ seq }) => seq), [6]);
  }
});

test('a refusal that is no word about the chat is told, and the chat is joined at the next connect', async () => {
  for (const code of ['REJECTED', 'VALIDATION_ERROR', 'INTERNAL_ERROR', 'FORBIDDEN']) {
    const { client, server, clock, connect, heard } = aClient();
    server.answer = (event) => (event === 'joinChat' && server.sockets.length === 1 ? refusal(code) : null);
    client.open(1);
    await connect();
    assert.deepEqual(heard.codes(), [code]);
    assert.equal(heard.of('roomFailed')[0].error.code, code);
    server.last.drop();
    await clock.advance(5_000);
    assert.equal(heard.of('history').length, 1, code);
  }
});

test('a chat that is not the user\'s is dropped and told once', async () => {
  for (const code of ['NOT_PARTICIPANT', 'NOT_FOUND']) {
    const { client, server, clock, connect, heard } = aClient();
    server.answer = (event) => (event === 'joinChat' ? refusal(code) : null);
    client.open(1);
    await connect();
    server.last.drop();
    await clock.advance(MINUTE);
    assert.deepEqual(heard.of('roomLost').map(({ chatId, error }) => [chatId, error.code]), [[1, code]]);
    assert.equal(server.payloads('joinChat').length, 1);
  }
});

test('a chat the user was removed from is not joined again', async () => {
  for (const event of ['removedFromChat', 'chatDeleted']) {
    const { server, clock, heard } = await following();
    server.last.push(event, { chatId: 1, seq: 6 });
    server.last.drop();
    await clock.advance(5_000);
    assert.equal(server.payloads('joinChat').length, 1);
    assert.deepEqual(heard.codes(), []);
  }
});

test('a gap is filled before the push behind it is told', async () => {
  const { server, heard } = await following();
  server.answer = (event) => (event === 'sync' ? { success: true, data: { chats: [syncPage(1, [6, 7])] } } : null);
  server.last.push('newMessage', push(8));
  server.last.push('newMessage', push(9));
  assert.equal(heard.of('newMessage').length, 0);
  await settle();
  assert.deepEqual(heard.of('history').at(-1).messages.map(({ id }) => id), [6, 7]);
  assert.deepEqual(heard.of('newMessage').map(({ seq }) => seq), [8, 9]);
  server.last.push('newMessage', push(10));
  assert.equal(server.payloads('sync').length, 1);
});

test('a gap that cannot be filled now is filled later, without another push', async () => {
  const { server, clock, heard } = await following();
  let isDown = true;
  server.answer = (event) => {
    if (event !== 'sync') return null;
    return isDown ? refusal('STORAGE_UNAVAILABLE', { retryable: true }) : { success: true, data: { chats: [syncPage(1, [6, 7, 8, 9])] } };
  };
  server.last.push('newMessage', push(8));
  await settle();
  server.last.push('newMessage', push(9));
  assert.deepEqual(heard.of('newMessage').map(({ seq }) => seq), [8, 9]); // shown, with the gap still open
  isDown = false;
  await clock.advance(5_000);
  assert.deepEqual(heard.of('history').at(-1).messages.map(({ id }) => id), [6, 7, 8, 9]);
});

test('the pages of a long absence are followed, so that the reader keeps the place', async () => {
  const { server, clock, heard } = await following();
  server.answer = (event, payload) => {
    if (event === 'joinChat') return joined(1, syncPage(1, [6, 7], { hasMore: true }));
    if (event !== 'sync') return null;
    const { since } = payload.chats[0];
    return { success: true, data: { chats: [syncPage(1, [since + 1, since + 2], { hasMore: since < 11 })] } };
  };
  server.last.drop();
  await clock.advance(5_000);
  assert.deepEqual(heard.of('history').slice(1).map(({ reset, messages }) => [reset, messages[0].id]), [[false, 6], [false, 8], [false, 10], [false, 12]]);
});

test('whoever missed more than twenty pages begins anew at the latest page', async () => {
  const { server, clock, heard } = await following();
  server.answer = (event, payload) => {
    if (event === 'joinChat') return joined(1, syncPage(1, [6], { hasMore: true }));
    return event === 'sync' ? { success: true, data: { chats: [syncPage(1, [payload.chats[0].since + 1], { hasMore: true })] } } : null;
  };
  server.last.drop();
  await clock.advance(5_000);
  assert.equal(server.payloads('sync').length, 20);
  assert.equal(heard.of('history').at(-1).reset, true);
});

test('a chat that was left is not told of', async () => {
  const { client, server, connect, heard } = aClient();
  await connect();
  let answer;
  server.answer = (event) => (event === 'joinChat' ? new Promise((resolve) => { answer = resolve; }) : null);
  client.open(1);
  client.leave(1);
  answer(joined(1, syncPage(1, [5])));
  await settle();
  assert.equal(heard.of('history').length, 0);
  assert.deepEqual(server.payloads('leaveChat'), [{ chatId: 1 }]);
});

test('a chat that is opened again from its place is told only what changed since', async () => {
  const { client, server, heard } = await following();
  const place = client.placeOf(1);
  assert.deepEqual(place, { cursor: 5, epoch: 'e1' });
  await client.leave(1);
  assert.equal(client.placeOf(1), null);
  server.answer = (event) => (event === 'joinChat' ? joined(1, syncPage(1, [6])) : null);
  await client.open(1, place);
  assert.deepEqual(server.payloads('joinChat').at(-1), { chatId: 1, since: 5, epoch: 'e1', limit: 200 });
  assert.deepEqual(heard.of('history').at(-1).messages.map(({ id }) => id), [6]);
});

test('a chat of a record is followed by its externalRef, from the id that the server answers', async () => {
  const asked = [];
  const { client, server, connect, heard } = aClient({
    fetch: async (url, { method, body }) => (method === 'POST' ? asked.push([url, body]) && good({ id: 7 }) : page([4, 5])),
  });
  await connect();
  assert.equal(await client.open({ externalRef: 'order:1001' }), 7);
  assert.deepEqual(asked, [['http://chat.example/chats/join', '{"externalRef":"order:1001"}']]);
  assert.deepEqual(server.payloads('joinChat'), [{ chatId: 7 }]);
  assert.deepEqual(heard.of('history').map(({ chatId }) => chatId), [7]);
});
