// pause() and resume(): an application in the background has no socket and loses nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aClient, joined, page, syncPage } from './support/client.mjs';
import { settle } from './support/fakes.mjs';

test('a pause closes the socket, without an error, and nothing goes on meanwhile', async () => {
  const { client, server, clock, heard, states, connect } = aClient();
  await connect();
  client.pause();
  await clock.advance(3_600_000);
  assert.equal(client.state, 'paused');
  assert.deepEqual(states(), ['connecting', 'online', 'paused']);
  assert.deepEqual([server.open.length, server.sockets.length, clock.waiting], [0, 1, 0]);
  assert.deepEqual(heard.of('error'), []);
});

test('what is written in a pause waits, and is sent once after it', async () => {
  const { client, server, connect } = aClient();
  await connect();
  client.pause();
  const id = client.send(1, 'later');
  await settle();
  assert.deepEqual(server.payloads('sendMessage'), []);
  client.resume();
  client.resume();
  await settle();
  assert.deepEqual(server.payloads('sendMessage').map(({ clientMessageId }) => clientMessageId), [id]);
  assert.equal(server.open.length, 1);
});

test('a followed chat goes on after a pause where it was', async () => {
  const { client, server, heard, connect } = aClient({ fetch: async () => page([1, 2]) });
  await connect();
  await client.open(1);
  server.answer = (event, payload) => (event === 'joinChat' ? joined(1, syncPage(1, [3], { fromSeq: payload.since })) : null);
  client.pause();
  client.resume();
  await settle();
  assert.deepEqual(server.payloads('joinChat').at(-1), { chatId: 1, since: 2, epoch: 'e1', limit: 200 });
  assert.deepEqual(heard.of('history').at(-1).messages.map(({ id }) => id), [3]);
});

test('a pause ends a wait for the next connect', async () => {
  const { client, server, clock, connect } = aClient();
  server.atConnect = () => 'fail';
  await connect();
  client.pause();
  await clock.advance(60_000);
  assert.equal(server.sockets.length, 1);
  server.atConnect = () => 'accept';
  client.resume();
  await settle();
  assert.equal(client.state, 'online');
});

test('a pause while a token is asked for opens no socket when it comes', async () => {
  let give;
  const { client, server, connect } = aClient({ getToken: () => new Promise((resolve) => { give = resolve; }) });
  await connect();
  client.pause();
  give('token');
  await settle();
  assert.equal(server.sockets.length, 0);
});

test('a client that is closed is not resumed, and a paused one can be closed', async () => {
  const { client, server, states, connect } = aClient();
  client.pause();
  client.resume();
  assert.equal(client.state, 'closed');
  await connect();
  client.pause();
  client.disconnect();
  client.resume();
  await settle();
  assert.deepEqual(states(), ['connecting', 'online', 'paused', 'closed']);
  assert.equal(server.open.length, 0);
});
