// src/store/batches.js: many ids, few questions.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Batches } from '../src/store/batches.js';

const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
const SOON = 0.001; // s, what a server would say in retryAfter

async function until(holds) {
  for (const deadline = Date.now() + 5_000; !holds();) {
    assert.ok(Date.now() < deadline, 'it did not come true in time');
    await sleep(2);
  }
}

function batches(answer = () => {}, size = 200) {
  const asked = [];
  const refusals = [];
  const made = new Batches({
    size, gatherMs: 5, restMs: 20,
    ask: async (ids) => {
      asked.push(ids);
      answer(asked.length);
    },
    onError: (error, ids) => refusals.push([error.code, ids]),
  });
  return { made, asked, refusals };
}

const failing = (fields) => Object.assign(new Error('no'), fields);

test('what comes one by one within a moment is one question, each id once', async () => {
  const { made, asked } = batches();
  for (let id = 0; id < 80; id += 1) made.add([id, 0]);
  await until(() => asked.length);
  assert.deepEqual(asked, [Array.from({ length: 80 }, (_, id) => id)]);
});

test('a thousand ids are asked for in full batches, one question at a time', async () => {
  let open = 0;
  const sizes = [];
  const made = new Batches({
    size: 200, gatherMs: 1, onError: assert.fail,
    ask: async (ids) => {
      assert.equal(open, 0);
      open += 1;
      sizes.push(ids.length);
      await sleep(2);
      open -= 1;
    },
  });
  made.add(Array.from({ length: 1_000 }, (_, id) => id));
  await until(() => sizes.length === 5 && open === 0);
  assert.deepEqual(sizes, [200, 200, 200, 200, 200]);
});

test('what trickles in is asked for at intervals, not one by one', async () => {
  const { made, asked } = batches();
  const start = Date.now();
  for (let id = 0; id < 40; id += 1) {
    made.add([id]);
    await sleep(2);
  }
  await until(() => asked.flat().length === 40);
  assert.ok(asked.length <= 2 + (Date.now() - start) / 20, `${asked.length}`);
});

test('a question that failed for the moment is asked again, and nothing is lost', async () => {
  const { made, asked, refusals } = batches((count) => {
    if (count < 3) throw failing({ code: 'RATE_LIMITED', retryable: true, retryAfter: SOON });
  });
  made.add([1, 2]);
  await until(() => asked.length === 3);
  assert.deepEqual(asked, [[1, 2], [1, 2], [1, 2]]);
  assert.deepEqual(refusals, []);
});

test('a question that is refused for good is told once, and the next one goes on', async () => {
  const { made, asked, refusals } = batches((count) => {
    if (count === 1) throw failing({ code: 'VALIDATION_ERROR', retryable: false });
  }, 1);
  made.add([1, 2]);
  await until(() => asked.length === 2);
  assert.deepEqual(refusals, [['VALIDATION_ERROR', [1]]]);
});

test('after the stop nothing is asked any more, not even again', async () => {
  const { made, asked } = batches(() => { throw failing({ code: 'TIMEOUT', retryable: true, retryAfter: SOON }); });
  made.add([1]);
  await until(() => asked.length);
  made.stop();
  made.add([2]);
  await sleep(30);
  const count = asked.length;
  await sleep(30);
  assert.equal(asked.length, count);
  assert.ok(asked.every((ids) => !ids.includes(2)));
});
