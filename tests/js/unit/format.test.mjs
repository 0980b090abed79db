// static/ui/format.js: names, colours and times.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dateLocale, initials, listNames } from '../../../static/ui/format.js';

test('dates are in the language of the page, in the reader\'s variant of it where there is one', () => {
  assert.equal(dateLocale('en', ['de-DE', 'en-GB', 'en-US']), 'en-GB');
  assert.equal(dateLocale('en', ['de-DE', 'fr']), 'en');
  assert.equal(dateLocale('en'), 'en');
});

test('names are listed up to three, and counted beyond', () => {
  assert.equal(listNames(['Ada', 'Grace', 'Linus']), 'Ada, Grace and Linus');
  assert.equal(listNames(['Ada', 'Grace', 'Linus', 'Guido']), 'Ada, Grace and 2 others');
});

test('initials are whole characters', () => {
  assert.equal(initials('Ada King Lovelace'), 'AL');
  assert.equal(initials('👩‍🚀'), '👩');
  assert.equal(initials(' '), '');
});
