// src/emitter.js: listeners do not harm one another.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Emitter } from '../src/emitter.js';
import { REPORTER } from './support/fakes.mjs';

test('a listener that throws is reported, and the others are called', (t) => {
  const reported = t.mock.method(...REPORTER, () => {});
  const emitter = new Emitter();
  const heard = [];
  const fault = new Error('a fault of the application');
  emitter.on('newMessage', () => { throw fault; });
  emitter.on('newMessage', (data) => heard.push(data));
  emitter.emit('newMessage', 1);
  emitter.emit('newMessage', 2);
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(reported.mock.calls.map((call) => call.arguments[0]), [fault, fault]);
});

test('a listener may stop itself while it is called', () => {
  const emitter = new Emitter();
  const heard = [];
  const stop = emitter.on('state', () => { stop(); heard.push('first'); });
  emitter.on('state', () => heard.push('second'));
  emitter.emit('state');
  emitter.emit('state');
  assert.deepEqual(heard, ['first', 'second', 'second']);
});
