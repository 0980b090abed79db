/** Pure functions over lists of messages: merging what arrives in any order, and laying it out for reading. */

const GROUP_GAP_MS = 5 * 60_000;
const version = (message) => message.updatedSeq ?? message.seq ?? 0;

/** Adds or replaces by id. The newer state of a message wins, in whatever order the two arrive. */
export function merge(list, incoming) {
  const byId = new Map(list.map((message) => [message.id, message]));
  for (const message of incoming) {
    const known = byId.get(message.id);
    if (!known || version(message) >= version(known)) byId.set(message.id, message);
  }
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

export function asTombstone(message, { seq, timestamp }) {
  return { ...message, message: '', deletedAt: timestamp, updatedSeq: seq };
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
