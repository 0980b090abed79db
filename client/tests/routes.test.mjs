// src/routes.js and rest.js through the client: what a front end asks over REST.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aClient } from './support/client.mjs';
import { good, refusal, response, settle } from './support/fakes.mjs';

/** A client whose server answers `answer(method, path, body)`; null is a connection that breaks. */
function asking(answer) {
  const asked = [];
  const fetch = async (url, { method, body, signal }) => {
    const path = url.replace('http://chat.example', '');
    asked.push([method, path, ...(body === undefined ? [] : [JSON.parse(body)])]);
    const given = await answer(method, path, body && JSON.parse(body), signal);
    if (given === null) throw new TypeError('Failed to fetch');
    return given;
  };
  return { ...aClient({ fetch }), asked };
}

const PAGES = {
  '/chats': good([{ id: 1 }, { id: 2 }], { page: { nextCursor: 'two' } }),
  '/chats?cursor=two': good([{ id: 3 }], { page: { nextCursor: null } }),
};
const inPages = () => asking((_, path) => PAGES[path]);

test('the awaited list is the first page, and only that is read', async () => {
  const { client, asked } = inPages();
  assert.deepEqual(await client.chats(), [{ id: 1 }, { id: 2 }]);
  assert.equal(asked.length, 1);
});

test('for await goes through all pages, and reads each once', async () => {
  const { client, asked } = inPages();
  const ids = [];
  for await (const { id } of client.chats()) ids.push(id);
  assert.deepEqual(ids, [1, 2, 3]);
  assert.equal(asked.length, 2);
});

test('who stops early reads no further page', async () => {
  const { client, asked } = inPages();
  for await (const { id } of client.chats()) if (id === 2) break;
  assert.equal(asked.length, 1);
});

test('a page that fails ends the loop with its error', async () => {
  const { client } = asking((_, path) => PAGES[path.replace('two', 'none')] ?? response(403, refusal('USER_BLOCKED')));
  await assert.rejects(async () => { for await (const chat of client.chats()) assert.ok(chat); }, { code: 'USER_BLOCKED' });
});

test('what could be done twice is not asked again after a connection that broke', async () => {
  const { client, clock, asked } = asking(() => null);
  const group = assert.rejects(client.createChat({ title: 'Order 1001' }), { code: 'DISCONNECTED', retryable: true });
  await clock.advance(60_000);
  await group;
  assert.equal(asked.length, 1);
});

test('what is the same however often it is done is asked again', async () => {
  let breaks = 2;
  const { client, clock, asked } = asking(() => (breaks-- > 0 ? null : good({ id: 7 })));
  const direct = client.createChat({ type: 'direct', participantIds: [2] });
  await clock.advance(60_000);
  assert.deepEqual(await direct, { id: 7 });
  assert.deepEqual(asked, Array(3).fill(['POST', '/chats', { type: 'direct', participantIds: [2] }]));
});

test('a signal ends the waiting at once, and the request', async () => {
  let ended = false;
  const { client } = asking((method, path, body, signal) => new Promise(() => {
    signal.addEventListener('abort', () => { ended = true; });
  }));
  const stop = new AbortController();
  const unread = assert.rejects(client.unread({ signal: stop.signal }), { name: 'AbortError' });
  await settle();
  stop.abort();
  await unread;
  assert.equal(ended, true);
});

test('a signal ends the pause before another try', async () => {
  const { client, clock, asked } = asking(() => null);
  const stop = new AbortController();
  const unread = assert.rejects(client.unread({ signal: stop.signal }), { name: 'AbortError' });
  await settle();
  stop.abort();
  await unread;
  await clock.advance(60_000);
  assert.equal(asked.length, 1);
  assert.equal(clock.waiting, 0);
});

test('a signal that has aborted asks nothing', async () => {
  const { client, asked } = asking(() => good([]));
  await assert.rejects(client.chats({ signal: AbortSignal.abort() }), { name: 'AbortError' });
  await settle();
  assert.equal(asked.length, 0);
});

test('a body that a proxy finds too large is not sent again', async () => {
  const { client, asked } = asking(() => response(413, '<html>'));
  await assert.rejects(client.updateChat(1, { title: 'x' }), { code: 'PAYLOAD_TOO_LARGE', retryable: false });
  assert.equal(asked.length, 1);
});

test('all chats with unread messages are marked read, also one whose last message was left out', async () => {
  const answers = {
    '/me/unread': good({ total: 3, chats: [{ chatId: 1, lastMessage: { id: 11 } }, { chatId: 2, lastMessage: null }] }),
    '/chats/2': good({ id: 2, lastMessage: { id: 22 } }),
  };
  const { client, asked } = asking((_, path) => answers[path] ?? good({}));
  assert.equal(await client.markAllRead(), 2);
  assert.deepEqual(asked.filter(([method]) => method === 'POST'), [
    ['POST', '/chats/1/read', { messageId: 11 }], ['POST', '/chats/2/read', { messageId: 22 }],
  ]);
});

test('names of many users are asked for until all are there', async () => {
  const answers = [good([{ id: 1 }, { id: 'b/2' }], { page: { hasMore: true } }), good([{ id: 3 }], { page: { hasMore: false } })];
  const { client, asked } = asking(() => answers.shift());
  assert.deepEqual(await client.users([1, 'b/2', 3]), [{ id: 1 }, { id: 'b/2' }, { id: 3 }]);
  assert.deepEqual(asked.map(([, path]) => path), ['/users?ids=1,b%2F2,3', '/users?ids=3']);
});
