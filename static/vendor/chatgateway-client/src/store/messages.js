/** Pure functions over lists of messages: merging what arrives in any order, and who has read what. */

const version = (message) => message.updatedSeq ?? message.seq ?? 0;

const byId = (a, b) => a.id - b.id;

/**
 * Adds or replaces by id. The newer state of a message wins, in whatever order the two arrive. A message that does not
 * change stays the same object, and so does the list.
 */
export function merge(list, incoming) {
  const told = new Map();
  for (const message of incoming) {
    const other = told.get(message.id);
    if (!other || version(message) > version(other)) told.set(message.id, message);
  }
  const deleted = new Set(incoming.filter(({ deletedAt }) => deletedAt).map(({ id }) => id));
  let isChanged = false;
  const merged = list.map((known) => {
    const message = told.get(known.id);
    told.delete(known.id);
    const newer = message && version(message) > version(known) ? message : known;
    const shown = withoutQuoteOf(deleted, newer);
    isChanged ||= shown !== known;
    return shown;
  });
  if (told.size === 0) return isChanged ? merged : list;
  const added = [...told.values()].map((message) => withoutQuoteOf(deleted, message)).sort(byId);
  const areLast = merged.length === 0 || merged.at(-1).id < added[0].id;
  return areLast ? [...merged, ...added] : [...merged, ...added].sort(byId);
}

/** A quote lives as long as the message it was taken from. */
function withoutQuoteOf(deleted, message) {
  if (!message.replyTo?.message || !deleted.has(message.replyTo.id)) return message;
  return { ...message, replyTo: { ...message.replyTo, message: '' } };
}

/** What of `incoming` belongs to the part of the history that is loaded: a change to an older message would leave a gap. */
export function within({ messages, hasBefore }, incoming) {
  const oldest = messages[0]?.id;
  return hasBefore && oldest !== undefined ? incoming.filter(({ id }) => id >= oldest) : incoming;
}

export function asTombstone(message, { seq, timestamp }) {
  return { ...message, message: '', deletedAt: timestamp, updatedSeq: seq };
}

/** Which of two states of a chat's last message is the later one; a message never gives way to none. */
export function later(known, told) {
  if (!known || !told) return told ?? known ?? null;
  if (told.id !== known.id) return told.id > known.id ? told : known;
  return version(told) > version(known) ? told : known;
}

/** Who has read my last message: {messageId, readers: [userId]} or null. */
export function receiptOf(messages, reads, userId) {
  const own = messages.findLast((message) => message.senderId === userId && !message.deletedAt && !message.system);
  if (!own) return null;
  const readers = [...reads].filter(([id, lastRead]) => id !== userId && lastRead >= own.id).map(([id]) => id);
  return { messageId: own.id, readers };
}

/** The users whose names a message shows; of a line of the timeline the first few, since it may name a thousand. */
export function namedIn({ senderId, replyTo, system }) {
  return [senderId, ...(replyTo ? [replyTo.senderId] : []), ...(system ? [system.by, ...system.userIds.slice(0, 3)] : [])];
}
