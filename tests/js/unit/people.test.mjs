// static/ui/people.js: how people and chats are called.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { asEntry } from '../../../client/src/store/chats.js';
import { learn } from '../../../client/src/store/people.js';
import { nameIn, sortPeople, titleOf } from '../../../static/ui/people.js';

const person = (userId, name = null) => ({ userId, role: 'member', name, avatarUrl: null });
const users = new Map([[1, { id: 1, name: 'Ada', avatarUrl: null }], [2, { id: 2, name: 'Grace', avatarUrl: 'g.png' }]]);

test('a new name makes a new map, and leaves the old one as it was', () => {
  const next = learn(users, [{ id: 1, name: 'Ada L.', avatarUrl: null }]);
  assert.equal(nameIn({ users: next }, 1), 'Ada L.');
  assert.equal(nameIn({ users }, 1), 'Ada');
});

test('whoever is not known is called by the number', () => {
  assert.equal(nameIn({ users }, 7), 'User 7');
});

test('oneself comes first, then who is online, then by name', () => {
  const people = [person(1, 'Zoe'), person(2, 'Bea'), person(3, 'Me'), person(4, 'Ann')];
  const presence = new Map([[1, { status: 'online' }], [2, { status: 'offline' }]]);
  assert.deepEqual(sortPeople({ people, presence, user: { id: 3 } }).map(({ name }) => name), ['Me', 'Zoe', 'Ann', 'Bea']);
});

test('a direct chat is called after the other one, also when that one is called otherwise', () => {
  const people = [{ userId: 0, name: 'Zero' }, { userId: 5, name: 'Me' }];
  const direct = asEntry({ id: 4, type: 'direct', title: null, participants: people }, 5);
  assert.equal(direct.peerId, 0);
  assert.equal(direct.participants, undefined);
  assert.equal(titleOf(direct, { users: new Map([[0, { name: 'Zero' }]]) }), 'Zero');
  assert.equal(titleOf(direct, { users: new Map([[0, { name: 'Naught' }]]) }), 'Naught');
  assert.equal(titleOf(direct, { users: new Map() }), 'User 0');
});

test('a group without a title is called by its number', () => {
  const group = asEntry({ id: 4, type: 'group', title: null, participants: [{ userId: 1 }, { userId: 5 }] }, 5);
  assert.equal(titleOf(group, { users: new Map([[1, { name: 'Ada' }]]) }), 'Chat 4');
});
