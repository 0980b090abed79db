// src/token-source.js: the application's getToken may fail, hang, or give what is no token.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TokenSource } from '../src/token-source.js';
import { FakeClock } from './support/fakes.mjs';

const source = (getToken, clock = new FakeClock()) => new TokenSource({ getToken, clock });

test('whatever getToken does wrong is an error that may pass', async () => {
  const wrong = [
    () => { throw new Error('thrown'); },
    async () => { throw new Error('rejected'); },
    async () => { throw Object.assign(new Error('final'), { code: 'FORBIDDEN', retryable: false }); },
    async () => Promise.reject(),
    () => undefined, () => null, () => '', () => 42, () => ({ token: 'x' }),
  ];
  for (const getToken of wrong) {
    await assert.rejects(source(getToken).ask(), { code: 'AUTH_UNAVAILABLE', retryable: true }, String(getToken));
  }
});

test('a getToken that hangs has ten seconds, and is asked anew', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const tokens = source(() => { asked += 1; return asked === 1 ? new Promise(() => {}) : 'second'; }, clock);
  const first = assert.rejects(tokens.ask(), { code: 'AUTH_UNAVAILABLE' });
  await clock.advance(9_999);
  assert.equal(asked, 1);
  await clock.advance(1);
  await first;
  assert.equal(await tokens.ask(), 'second');
  assert.equal(clock.waiting, 0);
});

test('those who ask at the same time share one call, and a fresh token is another one', async () => {
  const asked = [];
  const tokens = source(async ({ fresh }) => { asked.push(fresh); return fresh ? 'fresh' : 'plain'; });
  assert.deepEqual(await Promise.all([tokens.ask(), tokens.ask(), tokens.ask({ fresh: true }), tokens.ask({ fresh: true })]),
    ['plain', 'plain', 'fresh', 'fresh']);
  assert.deepEqual(asked, [false, true]);
  await tokens.ask();
  assert.equal(asked.length, 3);
});

test('the token server\'s retryAfter is handed on', async () => {
  const busy = Object.assign(new Error('busy'), { retryAfter: 7 });
  await assert.rejects(source(async () => { throw busy; }).ask(), { retryAfter: 7, cause: busy });
});
