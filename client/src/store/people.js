/** Pure functions over people: names, and the list of a chat's participants. */

const MOST_USERS = 10_000; // who is forgotten beyond that is asked for again when needed

/**
 * The users with what was told of some. A name that is missing takes no name away: a push knows only the names that the
 * server has in memory. `isFinal` says that it does.
 */
export function learn(users, told, { isFinal = false } = {}) {
  const news = told.map(({ id, name, avatarUrl }) => {
    const known = users.get(id);
    return { id, name: name ?? (isFinal ? null : known?.name ?? null), avatarUrl: avatarUrl ?? (isFinal ? null : known?.avatarUrl ?? null) };
  }).filter(({ id, name, avatarUrl }) => {
    const known = users.get(id);
    return !known || known.name !== name || known.avatarUrl !== avatarUrl;
  });
  if (news.length === 0) return users;
  const next = new Map(users);
  for (const user of news) next.set(user.id, user);
  for (const id of next.keys()) {
    if (next.size <= MOST_USERS) break;
    next.delete(id);
  }
  return next;
}

export const userOf = ({ userId, name, avatarUrl }) => ({ id: userId, name, avatarUrl });

/** The people under the names by which they are known now. */
export function renamed(people, users) {
  let isChanged = false;
  const next = people.map((person) => {
    const user = users.get(person.userId);
    if (!user || (user.name === person.name && user.avatarUrl === person.avatarUrl)) return person;
    isChanged = true;
    return { ...person, name: user.name, avatarUrl: user.avatarUrl };
  });
  return isChanged ? next : people;
}

/** Adds somebody to the people, or puts them in the place of their former state. */
export function seated(people, participant) {
  const at = people.findIndex(({ userId }) => userId === participant.userId);
  return at < 0 ? [...people, participant] : people.map((each, index) => (index === at ? participant : each));
}

export function unseated(people, userId) {
  const others = people.filter((each) => each.userId !== userId);
  return others.length === people.length ? people : others;
}

/** A map with these entries; the same one when they are in it already. */
export function withEntries(map, entries) {
  const news = entries.filter(([key, value]) => map.get(key) !== value);
  return news.length === 0 ? map : new Map([...map, ...news]);
}
