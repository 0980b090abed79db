// src/store/people.js: names, and the people of a chat.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { learn, renamed, seated, unseated, withEntries } from '../src/store/people.js';

const person = (userId, name = null) => ({ userId, role: 'member', name, avatarUrl: null });
const users = new Map([[1, { id: 1, name: 'Ada', avatarUrl: null }], [2, { id: 2, name: 'Grace', avatarUrl: 'g.png' }]]);

test('a push that does not know a name takes none away, unless it is the last word', () => {
  assert.equal(learn(users, [{ id: 1, name: null, avatarUrl: null }]), users);
  assert.equal(learn(users, [{ id: 2, name: 'Grace', avatarUrl: null }]), users);
  const cleared = learn(users, [{ id: 2, name: null, avatarUrl: null }], { isFinal: true });
  assert.deepEqual(cleared.get(2), { id: 2, name: null, avatarUrl: null });
});

test('the users that are remembered are bounded, and the oldest go first', () => {
  const many = Array.from({ length: 10_001 }, (_, index) => ({ id: `u${index}`, name: 'x', avatarUrl: null }));
  const known = learn(users, many);
  assert.equal(known.size, 10_000);
  assert.ok(!known.has(1) && known.has('u10000'));
});

test('people take the names that are known of them, and stay the same objects otherwise', () => {
  const people = [person(1, 'Ada'), person(2), person(3)];
  const next = renamed(people, users);
  assert.deepEqual(next.map(({ name }) => name), ['Ada', 'Grace', null]);
  assert.equal(next[0], people[0]);
  assert.equal(renamed(next, users), next);
});

test('a participant who is there already is replaced in place', () => {
  const people = [person(1), person(2)];
  assert.deepEqual(seated(people, { ...person(1), role: 'owner' }).map(({ role }) => role), ['owner', 'member']);
  assert.deepEqual(seated(people, person(3)).map(({ userId }) => userId), [1, 2, 3]);
});

test('taking out somebody who is not there changes nothing', () => {
  const people = [person(1), person(2)];
  assert.equal(unseated(people, 9), people);
  assert.deepEqual(unseated(people, 1), [people[1]]);
});

test('entries that are in a map already make no new map', () => {
  const map = new Map([[1, 'a']]);
  assert.equal(withEntries(map, [[1, 'a']]), map);
  assert.deepEqual([...withEntries(map, [[1, 'b'], [2, 'c']])], [[1, 'b'], [2, 'c']]);
});
