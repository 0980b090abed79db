// static/ui/composer.js: which Enter sends.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isSendKey } from '../../../static/ui/composer.js';

const key = (more) => ({ key: 'Enter', keyCode: 13, shiftKey: false, isComposing: false, ...more });

test('Enter sends, Shift+Enter and other keys do not', () => {
  assert.equal(isSendKey(key()), true);
  assert.equal(isSendKey(key({ shiftKey: true })), false);
  assert.equal(isSendKey(key({ key: 'a', keyCode: 65 })), false);
});

test('the Enter that chooses a word of an input method does not send, in Chrome and in Safari', () => {
  assert.equal(isSendKey(key({ isComposing: true, keyCode: 229 })), false);
  assert.equal(isSendKey(key({ isComposing: false, keyCode: 229 })), false);
});
