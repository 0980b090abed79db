// src/store/typing.js: who is typing, also when the end of it gets lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Typing } from '../src/store/typing.js';
import { FakeClock } from './support/fakes.mjs';

test('typing ends by itself when its end is not told, and is told once while it lasts', async () => {
  const clock = new FakeClock();
  const told = [];
  const typing = new Typing((users) => told.push([...users.keys()]), clock);
  typing.set(1, true);
  await clock.advance(6_000);
  typing.set(1, true);
  await clock.advance(6_000);
  assert.deepEqual(told, [[1]]);
  await clock.advance(2_000);
  assert.deepEqual(told, [[1], []]);
});

test('a message of somebody who was not typing changes nothing', () => {
  const told = [];
  new Typing((users) => told.push(users)).set(1, false);
  assert.deepEqual(told, []);
});

test('after clearing, nobody is typing and no timer is left', async () => {
  const clock = new FakeClock();
  const told = [];
  const typing = new Typing((users) => told.push([...users.keys()]), clock);
  typing.set(1, true);
  typing.set(2, true);
  typing.clear();
  await clock.advance(20_000);
  assert.deepEqual(told, [[1], [1, 2], []]);
});
