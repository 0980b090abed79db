// src/store/chat-pages.js: the whole list of chats, page after page.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatPages } from '../src/store/chat-pages.js';

const failing = (fields) => Object.assign(new Error('no'), fields);

/** A server with these ids, newest first; `before(query, number)` may change them, fail or wait. */
function server(ids, before = () => {}) {
  const queries = [];
  const ask = async (query) => {
    queries.push(String(query));
    await before(query, queries.length);
    const start = query.has('cursor') ? ids.findIndex((id) => id < Number(query.get('cursor'))) : 0;
    const data = start < 0 ? [] : ids.slice(start, start + Number(query.get('limit'))).map((id) => ({ id }));
    const isLast = start < 0 || start + data.length >= ids.length;
    return { data, page: { nextCursor: isLast ? null : String(data.at(-1).id) } };
  };
  return { queries, ask };
}

const descending = (count) => Array.from({ length: count }, (_, index) => count - index);

async function read(source, act = () => {}) {
  const got = { pages: [], isThere: null, errors: [] };
  const pages = new ChatPages({
    ask: source.ask,
    pauseMs: 0,
    onPage: (chats) => { got.pages.push(chats.map(({ id }) => id)); act(pages); },
    onEnd: (isThere) => { got.isThere = isThere; },
    onError: (error) => got.errors.push(error.code),
  });
  await pages.start();
  return got;
}

test('a short list is one question', async () => {
  const source = server(descending(12));
  const { pages, isThere } = await read(source);
  assert.deepEqual(source.queries, ['limit=50']);
  assert.equal(pages.length, 1);
  assert.ok(isThere(12) && !isThere(13));
});

test('a long list is read to its end, and in few questions', async () => {
  const source = server(descending(5_000));
  const { pages, isThere } = await read(source);
  assert.deepEqual(new Set(pages.flat()).size, 5_000);
  assert.ok(source.queries.length <= 27, `${source.queries.length}`);
  assert.ok(isThere(1) && isThere(5_000));
});

test('a chat that moves up while the pages are read is not taken for one that is gone', async () => {
  const ids = descending(300);
  const source = server(ids, (_query, number) => {
    if (number === 2) ids.unshift(...ids.splice(ids.indexOf(7), 1).map(() => 301));
  });
  const { isThere } = await read(source);
  assert.ok(isThere(301));
});

test('a chat that a push told of is there, whatever the pages say', async () => {
  const { isThere } = await read(server(descending(3)), (pages) => pages.touch(99));
  assert.ok(isThere(99));
});

test('a page that fails for the moment is asked for again', async () => {
  const source = server(descending(3), (_query, number) => {
    if (number < 3) throw failing({ code: 'STORAGE_UNAVAILABLE', retryable: true, retryAfter: 0.001 });
  });
  const { pages, errors } = await read(source);
  assert.deepEqual(pages, [[3, 2, 1]]);
  assert.deepEqual(errors, []);
});

test('a refusal for good is told, and no chat is taken for gone because of it', async () => {
  const source = server(descending(100), (_query, number) => {
    if (number === 2) throw failing({ code: 'VALIDATION_ERROR', retryable: false });
  });
  const { errors, isThere } = await read(source);
  assert.deepEqual(errors, ['VALIDATION_ERROR']);
  assert.equal(isThere, null);
});

test('a reading that begins anew ends the one before it', async () => {
  let release;
  const source = server(descending(3), (_query, number) => number === 1 && new Promise((resolve) => { release = resolve; }));
  const ends = [];
  const pages = new ChatPages({ ask: source.ask, pauseMs: 0, onPage: (chats) => ends.push(chats.length), onEnd: () => ends.push('end'), onError: assert.fail });
  const first = pages.start();
  await pages.start();
  release();
  await first;
  assert.deepEqual(ends, [3, 'end']);
});

test('after the stop a page that was under way is dropped', async () => {
  const source = server(descending(300));
  const { pages, isThere } = await read(source, (reader) => reader.stop());
  assert.equal(pages.length, 1);
  assert.equal(isThere, null);
});
