// static/ui/base.js: the page works under whatever path the server has.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BASE } from '../../../static/ui/base.js';

test('the base is the address under which this very file is', () => {
  assert.equal(`${BASE}/static/ui/base.js`, import.meta.resolve('../../../static/ui/base.js'));
});
