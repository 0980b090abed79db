// src/rest.js: what may pass is tried again, what is final is not.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Rest } from '../src/rest.js';
import { FakeClock, good, refusal, response } from './support/fakes.mjs';

const BAD_GATEWAY = '<html><h1>502 Bad Gateway</h1></html>';

/** A Rest whose server gives these answers in turn, the last one for ever. */
function rest(answers, { renew = async () => 'fresh' } = {}) {
  const clock = new FakeClock();
  const sent = [];
  const fetch = async (url, { headers, signal }) => {
    sent.push({ url, token: headers.Authorization.replace('Bearer ', ''), at: clock.now(), signal });
    const answer = answers[Math.min(sent.length, answers.length) - 1];
    return typeof answer === 'function' ? answer() : answer;
  };
  const get = new Rest({ base: 'http://chat.example/im', fetch, clock, token: async () => 'plain', renew });
  return { clock, sent, get: (path) => get.request(path) };
}

async function outcome({ clock, get }, path = '/chats') {
  const answer = get(path).then((body) => body.data, (error) => error.code);
  await clock.advance(600_000);
  return answer;
}

test('a proxy\'s page, an overload, an outage of the network and of the server are tried again', async () => {
  const passing = [
    response(502, BAD_GATEWAY), response(503, BAD_GATEWAY), response(200, BAD_GATEWAY), response(404, BAD_GATEWAY),
    response(500, ''), response(502, { message: 'upstream' }), response(429, 'slow down'),
    response(429, refusal('RATE_LIMITED', { retryable: true })),
    response(503, refusal('STORAGE_UNAVAILABLE', { retryable: true })),
    response(503, refusal('A_CODE_OF_THE_FUTURE', { retryable: true })),
    () => { throw new TypeError('Failed to fetch'); },
  ];
  for (const each of passing) {
    const tried = rest([each, each, good([1])]);
    assert.deepEqual(await outcome(tried), [1]);
    assert.equal(tried.sent.length, 3);
  }
});

test('it gives up after five tries, with an error that says it may pass', async () => {
  const tried = rest([response(502, BAD_GATEWAY)]);
  const answer = assert.rejects(tried.get('/chats'), { code: 'UNREACHABLE', retryable: true, message: /HTTP 502/ });
  await tried.clock.advance(600_000);
  await answer;
  assert.equal(tried.sent.length, 5);
});

test('what is final is asked once', async () => {
  for (const code of ['NOT_PARTICIPANT', 'NOT_FOUND', 'VALIDATION_ERROR', 'FORBIDDEN', 'TOKEN_INVALID']) {
    const tried = rest([response(403, refusal(code))]);
    assert.equal(await outcome(tried), code);
    assert.equal(tried.sent.length, 1);
  }
});

test('Retry-After is waited for, in seconds, as a date, and as the server\'s own field; at most a minute', async () => {
  const date = (clock, seconds) => new Date(clock.now() + seconds * 1000).toUTCString();
  const waits = [
    [() => response(503, BAD_GATEWAY, { 'Retry-After': '12' }), 12_000],
    [(clock) => response(503, BAD_GATEWAY, { 'Retry-After': date(clock, 12) }), 11_000],
    [() => response(429, refusal('RATE_LIMITED', { retryable: true, retryAfter: 12 })), 12_000],
    [() => response(429, refusal('RATE_LIMITED', { retryable: true }), { 'Retry-After': '12' }), 12_000],
    [() => response(503, BAD_GATEWAY, { 'Retry-After': '86400' }), 60_000],
    [() => response(503, BAD_GATEWAY, { 'Retry-After': 'soon' }), 0],
  ];
  for (const [answer, wait] of waits) {
    const tried = rest([() => answer(tried.clock), good([])]);
    await outcome(tried);
    const waited = tried.sent[1].at - tried.sent[0].at;
    assert.ok(waited >= wait && waited <= wait + 2_000, `${waited} ms, not ${wait}`);
  }
});

test('a token that has run out is renewed once, and the request sent again', async () => {
  const expired = response(401, refusal('TOKEN_EXPIRED'));
  const tried = rest([expired, good([1])]);
  assert.deepEqual(await outcome(tried), [1]);
  assert.deepEqual(tried.sent.map(({ token }) => token), ['plain', 'fresh']);
  const hopeless = rest([expired]);
  assert.equal(await outcome(hopeless), 'TOKEN_EXPIRED');
  assert.equal(hopeless.sent.length, 2);
});

test('a request that is never answered is ended after 15 s and made anew', async () => {
  const tried = rest([() => new Promise(() => {}), good([1])]);
  assert.deepEqual(await outcome(tried), [1]);
  assert.equal(tried.sent[0].signal.aborted, true);
});

test('the path of the server\'s address is kept', async () => {
  const tried = rest([good([])]);
  await outcome(tried, '/chats?limit=5');
  assert.equal(tried.sent[0].url, 'http://chat.example/im/chats?limit=5');
});
