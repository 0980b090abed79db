/** How people and chats are called, and who is here. */

const COLLATOR = new Intl.Collator();

export const nameOf = (person) => person?.name || `User ${person?.userId ?? ''}`.trim();

/** The name of anybody who is known: participants, people who have left, people who never had a seat. */
export const nameIn = ({ users }, userId) => users.get(userId)?.name || `User ${userId}`;

/** One's own presence is the state of this very connection, so it needs no telling by the server. */
export function statusOf(state, userId) {
  if (userId === state.user?.id) return state.connection === 'online' ? 'online' : 'offline';
  return state.presence.get(userId)?.status ?? 'offline';
}

/** Oneself first, then who is online, then by name. */
export function sortPeople({ people, presence, user }) {
  const rank = ({ userId }) => (userId === user?.id ? 0 : presence.get(userId)?.status === 'online' ? 1 : 2);
  const keyed = people.map((person) => ({ person, rank: rank(person), name: nameOf(person) }));
  keyed.sort((a, b) => a.rank - b.rank || COLLATOR.compare(a.name, b.name));
  return keyed.map(({ person }) => person);
}

/** The title, the other one's name in a direct chat, or the number. */
export function titleOf(chat, state) {
  if (chat.title) return chat.title;
  return chat.peerId === null ? `Chat ${chat.id}` : nameIn(state, chat.peerId);
}
