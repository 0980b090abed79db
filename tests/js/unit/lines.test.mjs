// static/ui/lines.js: the words of the timeline.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { namedIn } from '../../../client/src/store/messages.js';
import { lineText } from '../../../static/ui/lines.js';

const nameFor = (id) => ({ 7: 'Ada', 8: 'Grace' })[id] ?? `User ${id}`;
const line = (kind, userIds, more = {}) => ({ message: 'did something', system: { kind, by: 7, userIds, ...more } });

test('each kind has its words', () => {
  const texts = [
    line('participantsAdded', [8]),
    line('participantsAdded', [8, 9, 10, 11]),
    line('participantRemoved', [8]),
    line('participantLeft', [7]),
    line('roleChanged', [8], { role: 'moderator' }),
    line('titleChanged', [], { title: 'Order 1' }),
    line('titleChanged', [], { title: null }),
  ].map((each) => lineText(each, nameFor));
  assert.deepEqual(texts, [
    'Ada added Grace',
    'Ada added Grace, User 9 and 2 others',
    'Ada removed Grace',
    'Ada left',
    'Ada made Grace a moderator',
    'Ada named the chat “Order 1”',
    "Ada took the chat's name away",
  ]);
});

test('a kind of a later server has the words of the server', () => {
  assert.equal(lineText(line('somethingNew', []), nameFor), 'Ada did something');
});

test('of a thousand users, only those who are named are looked up', () => {
  assert.deepEqual(namedIn({ senderId: 7, system: { by: 7, userIds: [1, 2, 3, 4, 5] } }), [7, 7, 1, 2, 3]);
});
