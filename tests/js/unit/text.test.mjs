// static/ui/text.js: what of a message is a link.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findLinks } from '../../../static/ui/text.js';

test('a web address in a sentence is a link without the sentence\'s full stop', () => {
  assert.deepEqual(
    findLinks('See https://example.com/a.'),
    ['See ', { href: 'https://example.com/a' }, '.'],
  );
});
