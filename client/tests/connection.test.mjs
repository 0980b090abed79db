// src/connection.js through the client: how it comes online, stays so, and when it is over.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aClient } from './support/client.mjs';
import { good, REPORTER, refusal, response, settle } from './support/fakes.mjs';

const MINUTE = 60_000;
const refuse = (code, more) => ({ code, message: code, retryable: false, ...more });

test('it is online when the server has said who the user is', async () => {
  const { client, server, states, connect } = aClient();
  await connect();
  assert.deepEqual(states(), ['connecting', 'online']);
  assert.deepEqual(client.user, { id: 1 });
  assert.equal(server.last.address, 'http://chat.example/chat');
  assert.deepEqual([server.last.options.auth, server.last.options.path], [{ token: 'token' }, '/socket.io/']);
});

test('a server under a path has its socket and its routes there', async () => {
  const asked = [];
  const { client, server, connect } = aClient({ url: 'http://chat.example/im/', fetch: async (url) => { asked.push(url); return good([]); } });
  await connect();
  await client.chats();
  assert.deepEqual([server.last.address, server.last.options.path], ['http://chat.example/chat', '/im/socket.io/']);
  assert.deepEqual(asked, ['http://chat.example/im/chats']);
  const own = aClient({ path: '/other.io/' });
  await own.connect();
  assert.equal(own.server.last.options.path, '/other.io/');
});

test('connect() twice is one socket, and disconnect() ends it', async () => {
  const { client, server, connect, states } = aClient();
  client.connect();
  await connect();
  await connect();
  assert.equal(server.sockets.length, 1);
  client.disconnect();
  client.disconnect();
  await settle();
  assert.equal(server.open.length, 0);
  assert.deepEqual(states(), ['connecting', 'online', 'closed']);
});

test('disconnect() while it connects ends all, whatever it waits for', async () => {
  let give;
  const slow = aClient({ getToken: () => new Promise((resolve) => { give = resolve; }) });
  await slow.connect();
  slow.client.disconnect();
  give('late');
  await slow.clock.advance(MINUTE);
  assert.equal(slow.server.sockets.length, 0);

  for (const meets of ['hang', 'fail', 'accept']) {
    const { client, server, clock, states } = aClient();
    server.atConnect = () => meets;
    server.answer = () => 'lost';
    client.connect();
    await settle();
    client.disconnect();
    await clock.advance(MINUTE);
    assert.equal(client.state, 'closed');
    assert.equal(server.sockets.length, 1, meets);
    assert.equal(server.open.length, 0);
    assert.equal(states().at(-1), 'closed');
  }
});

test('after disconnect() it can connect again', async () => {
  const { client, server, connect } = aClient();
  await connect();
  client.disconnect();
  await connect();
  assert.equal(client.state, 'online');
  assert.equal(server.open.length, 1);
});

test('a getToken that fails or hangs is asked again, and the page knows what it waits for', async () => {
  for (const failure of [() => Promise.reject(new Error('503')), () => new Promise(() => {}), () => undefined]) {
    let isDown = true;
    const { client, server, clock, states, heard, connect } = aClient({ getToken: () => (isDown ? failure() : 'token') });
    await connect();
    await clock.advance(10 * MINUTE);
    assert.deepEqual(states(), ['connecting', 'connecting (token)']);
    assert.equal(heard.of('state').at(-1).cause.code, 'AUTH_UNAVAILABLE');
    assert.equal(server.sockets.length, 0);
    isDown = false;
    await clock.advance(MINUTE);
    assert.equal(client.state, 'online');
  }
});

test('a getToken that fails at a reconnect does not sign out', async () => {
  let isDown = false;
  const { client, server, clock, states, connect } = aClient({ getToken: async () => { if (isDown) throw new Error('503'); return 'token'; } });
  await connect();
  isDown = true;
  server.last.drop();
  await clock.advance(5 * MINUTE);
  assert.deepEqual(states(), ['connecting', 'online', 'reconnecting (network)', 'reconnecting (token)']);
  isDown = false;
  await clock.advance(MINUTE);
  assert.equal(client.state, 'online');
});

test('no server, a server that hangs, and any refusal that may pass are tried again', async () => {
  const passing = ['fail', 'hang', refuse('AUTH_UNAVAILABLE', { retryable: true }), refuse('RATE_LIMITED', { retryable: true, retryAfter: 3 }), refuse('NEW_CODE', { retryable: true })];
  for (const meets of passing) {
    const { client, server, clock, connect } = aClient();
    server.atConnect = () => meets;
    await connect();
    await clock.advance(5 * MINUTE);
    assert.equal(client.state, 'reconnecting');
    assert.ok(server.sockets.length > 5);
    server.atConnect = () => 'accept';
    await clock.advance(MINUTE);
    assert.equal(client.state, 'online');
    assert.equal(server.open.length, 1);
  }
});

test('the server\'s retryAfter is waited for before the next connect', async () => {
  const { server, clock, connect } = aClient();
  server.atConnect = () => refuse('AUTH_UNAVAILABLE', { retryable: true, retryAfter: 30 });
  await connect();
  await clock.advance(29_000);
  assert.equal(server.sockets.length, 1);
  await clock.advance(2_000);
  assert.equal(server.sockets.length, 2);
});

test('a socket that the server closes is made anew', async () => {
  const { client, server, clock, connect } = aClient();
  await connect();
  server.last.drop('io server disconnect');
  await clock.advance(5_000);
  assert.equal(client.state, 'online');
  assert.equal(server.sockets.length, 2);
});

test('a refusal of a token that was sent is final', async () => {
  for (const code of ['UNAUTHENTICATED', 'TOKEN_INVALID', 'TOKEN_REVOKED', 'USER_BLOCKED']) {
    const { client, server, clock, heard, connect } = aClient();
    server.atConnect = () => refuse(code);
    await connect();
    await clock.advance(MINUTE);
    assert.equal(client.state, 'closed');
    assert.equal(heard.of('state').at(-1).error.code, code);
    assert.equal(server.sockets.length, 1, code);
  }
});

test('an expired or invalid token is exchanged for a fresh one', async () => {
  for (const code of ['TOKEN_EXPIRED', 'TOKEN_INVALID']) {
    const { client, server, connect } = aClient({ getToken: ({ fresh }) => (fresh ? 'fresh' : 'old') });
    server.atConnect = (token) => (token === 'fresh' ? 'accept' : refuse(code));
    await connect();
    assert.equal(client.state, 'online');
    assert.deepEqual(server.sockets.map(({ options }) => options.auth.token), ['old', 'fresh']);
  }
});

test('who signs in right after a revoke comes online by itself, with the first token that is good', async () => {
  let signedInAt;
  const issuedAt = (token) => Number(token.split(' ')[1]);
  const { client, server, clock, connect } = aClient({ getToken: ({ fresh }) => `token ${fresh ? clock.now() : signedInAt}` });
  signedInAt = clock.now();
  const certain = signedInAt + 31_000;
  server.atConnect = (token) => {
    if (issuedAt(token) >= certain) return 'accept';
    return clock.now() < certain ? 'fail' : refuse('TOKEN_EXPIRED'); // a refusal that passes closes the transport
  };
  await connect();
  await clock.advance(30_000);
  assert.equal(client.state, 'reconnecting');
  await clock.advance(10_000);
  assert.equal(client.state, 'online');
});

test('a getToken that gives the same expired token again ends after three tries, with the refusal', async () => {
  let asked = 0;
  const { client, server, clock, heard, connect } = aClient({ getToken: () => { asked += 1; return 'old'; } });
  server.atConnect = () => refuse('TOKEN_EXPIRED');
  await connect();
  assert.notEqual(client.state, 'closed');
  await clock.advance(MINUTE);
  assert.equal(client.state, 'closed');
  assert.equal(heard.of('state').at(-1).error.code, 'TOKEN_EXPIRED');
  assert.deepEqual([asked, server.sockets.length], [4, 1]);
});

test('tokens that are new each time and refused each time end as well', async () => {
  let asked = 0;
  const { client, server, clock, connect } = aClient({ getToken: () => { asked += 1; return `token ${asked}`; } });
  server.atConnect = () => refuse('TOKEN_EXPIRED');
  await connect();
  await clock.advance(MINUTE);
  assert.equal(client.state, 'closed');
  assert.equal(server.sockets.length, 3);
});

/** A client that is online with an old token; `renewable` is what the server takes for new ones. */
async function withExpiredToken(getToken) {
  const made = aClient({ getToken });
  let isExpired = false;
  made.server.answer = (event, payload) => {
    if (event === 'authenticate' && payload?.token === 'fresh') isExpired = false;
    if (event === 'authenticate' || !isExpired) return null;
    return refusal('TOKEN_EXPIRED');
  };
  await made.connect();
  isExpired = true;
  return made;
}

test('asks that meet TOKEN_EXPIRED share one renewal and are sent again', async () => {
  const asked = [];
  const { client, server, heard } = await withExpiredToken(({ fresh }) => { asked.push(fresh); return fresh ? 'fresh' : 'old'; });
  client.send(1, 'hello');
  await Promise.all([client.edit(1, 'a'), client.delete(2), client.presence([1])]);
  await settle();
  assert.deepEqual(asked, [false, true]);
  assert.equal(server.payloads('authenticate').length, 2);
  assert.deepEqual(heard.of('outbox').at(-1), []);
  assert.deepEqual(heard.codes(), []);
  assert.equal(client.state, 'online');
});

test('a renewal that fails leaves a message pending, and it is sent when a token can be had', async () => {
  let isDown = true;
  const { client, server, clock, heard } = await withExpiredToken(({ fresh }) => {
    if (!fresh) return 'old';
    if (isDown) throw new Error('503');
    return 'fresh';
  });
  client.send(1, 'hello');
  await clock.advance(MINUTE);
  assert.equal(heard.of('outbox').at(-1)[0].status, 'pending');
  isDown = false;
  await clock.advance(MINUTE);
  assert.deepEqual(heard.of('outbox').at(-1), []);
  assert.equal(server.sockets.length, 1);
});

test('REST that meets TOKEN_EXPIRED renews the socket\'s token, too', async () => {
  const { client, server, connect } = aClient({
    getToken: ({ fresh }) => (fresh ? 'fresh' : 'old'),
    fetch: async (_url, { headers }) => (headers.Authorization.endsWith('fresh') ? good([7]) : response(401, refusal('TOKEN_EXPIRED'))),
  });
  await connect();
  assert.deepEqual(await client.chats(), [7]);
  assert.deepEqual(server.payloads('authenticate'), [undefined, { token: 'fresh' }]);
});

test('a renewal at tokenExpiring that fails is tried again before the token ends', async () => {
  let tries = 0;
  const { server, clock, heard, connect } = aClient({
    getToken: ({ fresh }) => {
      if (!fresh) return 'old';
      tries += 1;
      if (tries < 4) throw new Error('503');
      return 'fresh';
    },
  });
  await connect();
  server.last.push('tokenExpiring', { expiresIn: 60 });
  await clock.advance(45_000);
  assert.deepEqual(server.payloads('authenticate'), [undefined, { token: 'fresh' }]);
  assert.deepEqual(heard.codes(), ['AUTH_UNAVAILABLE']); // told once
  assert.equal(server.sockets.length, 1);
});

test('the connect after sessionExpired asks for a fresh token at once', async () => {
  const asked = [];
  const { server, clock, connect } = aClient({ getToken: ({ fresh }) => { asked.push(fresh); return fresh ? 'fresh' : 'old'; } });
  await connect();
  server.last.push('sessionExpired', { code: 'TOKEN_EXPIRED', message: '' });
  server.last.drop();
  await clock.advance(5_000);
  assert.deepEqual(asked, [false, true]);
  assert.equal(server.last.options.auth.token, 'fresh');
});

test('a listener that throws disturbs neither other listeners nor the connection', async (t) => {
  t.mock.method(...REPORTER, () => {});
  const { client, server, clock, heard, connect } = aClient();
  for (const event of ['state', 'history', 'newMessage', 'outbox', 'error']) client.on(event, () => { throw new Error(event); });
  await client.open(1);
  await connect();
  client.on('newMessage', () => {});
  server.last.push('newMessage', { chatId: 1, seq: 1, message: { id: 1 } });
  server.last.drop();
  await clock.advance(5_000);
  server.last.push('newMessage', { chatId: 1, seq: 2, message: { id: 2 } });
  assert.equal(client.state, 'online');
  assert.deepEqual(server.payloads('joinChat').map(({ chatId }) => chatId), [1, 1]);
  assert.deepEqual(heard.of('newMessage').map(({ seq }) => seq), [1, 2]);
});
