// src/storage.js and drafts.js where the browser gives no storage; with storage: tests/e2e/test_page_keeps.py.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drafts } from '../src/drafts.js';
import { BrowserStorage } from '../src/storage.js';
import { FakeClock, keptStorage, memoryStorage, settle } from './support/fakes.mjs';

const FORBIDDEN = {
  'the access throws': () => { throw new DOMException('denied', 'SecurityError'); },
  'there is none': () => undefined,
  'opening throws': () => ({ open: () => { throw new Error('no'); } }),
  'opening fails': () => ({ open: () => {
    const request = { error: new Error('quota') };
    queueMicrotask(() => request.onerror());
    return request;
  } }),
  'opening is never answered': () => ({ open: () => ({}) }),
};

test('what cannot be written is in memory, and known not to be kept', async () => {
  for (const [how, indexedDB] of Object.entries(FORBIDDEN)) {
    const clock = new FakeClock();
    const storage = new BrowserStorage({ indexedDB, clock });
    storage.put(['ada', 'draft', 1], 'one');
    storage.put(['ada', 'draft', 2], 'two');
    storage.put(['grace', 'draft', 1], 'hers');
    storage.delete(['ada', 'draft', 2]);
    await clock.advance(3_000);
    assert.deepEqual(await storage.list('ada', 'draft'), ['one'], how);
    assert.deepEqual(await storage.list('ada', 'outbox'), [], how);
    assert.equal(storage.isKept(['ada', 'draft', 1]), false, how);
  }
});

const drafts = (storage, clock = new FakeClock()) => new Drafts({ storage, clock, onChange: () => {} });

test('a draft is there for the same user, and for nobody else', async () => {
  for (const storage of [keptStorage(), memoryStorage()]) {
    const first = drafts(storage);
    first.set(1, 'early'); // before the user is known
    await first.open('ada');
    first.set(2, 'half a th');
    const second = drafts(storage);
    await second.open('grace');
    assert.deepEqual([second.get(1), second.get(2)], ['', '']);
    await second.open('ada');
    assert.deepEqual([second.get(1), second.get(2)], ['early', 'half a th']);
    second.set(1, '');
    const third = drafts(storage);
    await third.open('ada');
    assert.deepEqual([third.get(1), third.get(2)], ['', 'half a th']);
  }
});

test('what is typed while the drafts are read is not overwritten', async () => {
  const storage = keptStorage();
  await storage.put(['ada', 'draft', 1], { chatId: 1, text: 'old', at: new FakeClock().now() });
  const reader = drafts(storage);
  const reading = reader.open('ada');
  reader.set(1, 'new');
  await reading;
  assert.equal(reader.get(1), 'new');
});

test('a draft that is damaged or older than a month is passed over', async () => {
  const storage = keptStorage();
  const clock = new FakeClock();
  await storage.put(['ada', 'draft', 1], { chatId: 1, text: 'old', at: clock.now() - 31 * 24 * 3600_000 });
  await storage.put(['ada', 'draft', 2], 'damaged');
  await storage.put(['ada', 'draft', 4], null);
  await storage.put(['ada', 'draft', 3], { chatId: 3, text: 'good', at: clock.now() });
  const reader = drafts(storage, clock);
  await reader.open('ada');
  await settle();
  assert.deepEqual([reader.get(1), reader.get(2), reader.get(3)], ['', '', 'good']);
});
