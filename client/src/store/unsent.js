/** What waits in the outbox, in the shape of messages. */

const asMessages = new WeakMap(); // outbox item -> {item fields that show, message}

/** An outbox item in the shape of a message: the same object while nothing of it changed. */
function asMessage(item, userId) {
  const known = asMessages.get(item);
  if (known && known.delivery === item.status && known.error === item.error && known.message === item.content && known.senderId === userId) return known;
  const message = { ...item, id: null, senderId: userId, message: item.content, delivery: item.status };
  asMessages.set(item, message);
  return message;
}

/** The items of the outbox that are not among the messages yet, in the shape of messages. */
export function unsent(outbox, messages, userId) {
  if (outbox.length === 0) return [];
  const wanted = new Set(outbox.map(({ clientMessageId }) => clientMessageId));
  const stored = new Set(messages.filter((m) => m.senderId === userId && wanted.has(m.clientMessageId)).map((m) => m.clientMessageId));
  return outbox.filter(({ clientMessageId }) => !stored.has(clientMessageId)).map((item) => asMessage(item, userId));
}

/** The messages of each chat with what waits to be sent after them: the same list while nothing of it changes. */
export class Timelines {
  #known = new Map(); // chatId -> {messages, outbox, userId, timeline}

  of(chatId, { messages, outbox, userId }) {
    const known = this.#known.get(chatId);
    if (known?.messages === messages && known.outbox === outbox && known.userId === userId) return known.timeline;
    const waiting = unsent(outbox.filter((item) => item.chatId === chatId), messages, userId);
    const next = waiting.length === 0 ? messages : [...messages, ...waiting];
    const isSame = known?.timeline.length === next.length && next.every((each, index) => each === known.timeline[index]);
    const timeline = isSame ? known.timeline : next;
    this.#known.set(chatId, { messages, outbox, userId, timeline });
    return timeline;
  }

  delete(chatId) { this.#known.delete(chatId); }
}
