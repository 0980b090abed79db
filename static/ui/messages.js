/** Pure functions over lists of messages: merging what arrives in any order, and laying it out for reading. */

const GROUP_GAP_MS = 5 * 60_000;
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

/** An outbox item in the shape of a message. */
const asMessage = (item, userId) => ({ ...item, id: null, senderId: userId, message: item.content, delivery: item.status });

// The clientMessageId as key keeps one element from "pending" to "stored", so it is neither redrawn nor read twice.
const keyOf = ({ id, senderId, clientMessageId }) => (clientMessageId ? `${senderId}/${clientMessageId}` : `id/${id}`);

const dayOf = (message) => new Date(message.createdAt).toDateString();

/** [{day: Date, rows: [{key, message, own, first, last}]}]: first and last within a group of one sender. */
export function layOut(messages, outbox, userId) {
  const stored = new Set(messages.filter((m) => m.senderId === userId).map((m) => m.clientMessageId));
  const waiting = outbox.filter((item) => !stored.has(item.clientMessageId)).map((item) => asMessage(item, userId));
  const all = [...messages, ...waiting];

  const days = [];
  all.forEach((message, index) => {
    const first = !continues(all[index - 1], message);
    const last = !all[index + 1] || !continues(message, all[index + 1]);
    if (!all[index - 1] || dayOf(all[index - 1]) !== dayOf(message)) days.push({ day: new Date(message.createdAt), rows: [] });
    days.at(-1).rows.push({ key: keyOf(message), message, own: message.senderId === userId, first, last });
  });
  return days;
}

function continues(previous, message) {
  return Boolean(previous)
    && previous.senderId === message.senderId
    && dayOf(previous) === dayOf(message)
    && new Date(message.createdAt) - new Date(previous.createdAt) < GROUP_GAP_MS;
}

/** Who has read my last message: {messageId, readers: [userId]} or null. */
export function receiptOf(messages, reads, userId) {
  const own = messages.findLast((message) => message.senderId === userId && !message.deletedAt);
  if (!own) return null;
  const readers = [...reads].filter(([id, lastRead]) => id !== userId && lastRead >= own.id).map(([id]) => id);
  return { messageId: own.id, readers };
}
