// src/client.js: what a user does, and what becomes of it without a connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aClient } from './support/client.mjs';
import { FakeLocks, FakeChannels, keptStorage, memoryStorage, refusal, settle } from './support/fakes.mjs';

test('an edit or a deletion without a connection is refused aloud', async () => {
  const { client, heard } = aClient();
  await assert.rejects(client.edit(7, 'new'), { code: 'DISCONNECTED', message: /not edited/ });
  await assert.rejects(client.delete(7), { code: 'DISCONNECTED', message: /not deleted/ });
  assert.deepEqual(heard.codes(), ['DISCONNECTED', 'DISCONNECTED']);
});

test('an edit that loses its connection on the way is refused aloud as well', async () => {
  const { client, server, connect, heard } = aClient();
  await connect();
  server.answer = () => 'lost';
  const edit = assert.rejects(client.edit(7, 'new'), { code: 'DISCONNECTED' });
  server.last.drop();
  await edit;
  assert.deepEqual(heard.codes(), ['DISCONNECTED']);
});

test('a message written without a connection is sent after it, once', async () => {
  const { client, server, clock, connect, heard } = aClient();
  client.send(1, 'early');
  await connect();
  assert.deepEqual(server.payloads('sendMessage').map(({ content }) => content), ['early']);
  server.answer = (event) => (event === 'sendMessage' ? 'lost' : null);
  const id = client.send(1, 'lost answer');
  await settle();
  server.last.drop();
  server.answer = () => null;
  await clock.advance(5_000);
  assert.deepEqual(server.payloads('sendMessage').slice(1).map(({ clientMessageId }) => clientMessageId), [id, id]);
  assert.deepEqual(heard.of('outbox').at(-1), []);
});

test('the push of one\'s own message ends its waiting', async () => {
  const { client, server, connect, heard } = aClient();
  await connect();
  server.answer = (event) => (event === 'sendMessage' ? 'lost' : null);
  const clientMessageId = client.send(1, 'pushed');
  await settle();
  server.last.push('newMessage', { chatId: 1, seq: 1, message: { id: 1, senderId: 1, clientMessageId } });
  assert.deepEqual(heard.of('outbox').at(-1), []);
});

test('a full outbox throws and tells', async () => {
  const { client, heard } = aClient();
  for (let number = 0; number < 500; number += 1) client.send(1, 'x');
  assert.throws(() => client.send(1, 'x'), { code: 'OUTBOX_FULL' });
  assert.deepEqual(heard.codes(), ['OUTBOX_FULL']);
});

test('unsent messages and drafts are there for the known user before there is a connection', async () => {
  const shared = { storage: keptStorage(), locks: () => null, openChannel: new FakeChannels().open };
  const first = aClient(shared);
  await first.connect();
  first.client.disconnect();
  first.client.send(1, 'unsent');
  first.client.setDraft(2, 'half');

  const second = aClient({ ...shared, userId: 1 });
  await settle();
  assert.deepEqual(second.heard.of('outbox').at(-1).map(({ content }) => content), ['unsent']);
  assert.equal(second.client.draft(2), 'half');
  const stranger = aClient({ ...shared, userId: '1' });
  await settle();
  assert.deepEqual([stranger.heard.of('outbox').at(-1), stranger.client.draft(2)], [[], '']);
  second.client.forget();
  await settle();
  assert.equal(shared.storage.entries.size, 0);
});

test('two servers of one page keep what was written apart', async () => {
  const shared = { storage: keptStorage(), userId: 1 };
  const one = aClient({ ...shared, url: 'http://chat.example/one' });
  one.client.send(1, 'for one');
  const two = aClient({ ...shared, url: 'http://chat.example/two' });
  await settle();
  assert.deepEqual(two.heard.of('outbox').at(-1), []);
});

test('no token is ever stored', async () => {
  const storage = keptStorage();
  const { client, connect } = aClient({ storage, getToken: () => 'secret-token' });
  await connect();
  client.disconnect();
  client.send(1, 'x');
  client.setDraft(1, 'y');
  await settle();
  assert.equal(storage.entries.size, 2);
  assert.ok(!JSON.stringify([...storage.entries]).includes('secret-token'));
});

test('it knows what closing the page would lose', async () => {
  const { client, connect } = aClient({ storage: memoryStorage(), locks: () => new FakeLocks() });
  assert.equal(client.hasUnstored, false);
  client.send(1, 'x');
  await settle();
  assert.equal(client.hasUnstored, true);
  await connect();
  assert.equal(client.hasUnstored, false);
});

test('presence is asked in batches of 200, and patiently', async () => {
  const { client, server, clock, connect } = aClient();
  await connect();
  let isBusy = true;
  server.answer = (event, payload) => {
    if (event !== 'getPresence') return null;
    const busy = isBusy;
    isBusy = !isBusy;
    return busy ? refusal('RATE_LIMITED', { retryable: true, retryAfter: 1 }) : { success: true, data: payload.userIds };
  };
  const answer = client.presence([...Array(450).keys()]);
  await clock.advance(60_000);
  assert.equal((await answer).length, 450);
});

test('a read cursor that was refused for the moment is moved later, unless a newer one was', async () => {
  const { client, server, clock, connect } = aClient();
  await connect();
  server.answer = (event) => (event === 'markAsRead' && server.payloads('markAsRead').length === 1 ? refusal('RATE_LIMITED', { retryable: true }) : null);
  client.markRead(1, 5);
  await clock.advance(10_000);
  client.markRead(1, 4);
  client.markRead(1, 5);
  assert.deepEqual(server.payloads('markAsRead').map(({ messageId }) => messageId), [5, 5]);
});
