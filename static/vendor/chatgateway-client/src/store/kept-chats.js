/** What was seen of the chats that were open before: shown at once on coming back, also without a connection. */

const MOST_CHATS = 20;
const MOST_MESSAGES = 500;

export class KeptChats {
  #kept = new Map(); // the one left last is at the end

  keep(chatId, { messages, hasBefore, ...rest }) {
    const newest = messages.length > MOST_MESSAGES ? messages.slice(-MOST_MESSAGES) : messages;
    this.#kept.delete(chatId);
    this.#kept.set(chatId, { ...rest, messages: newest, hasBefore: hasBefore || newest !== messages });
    if (this.#kept.size > MOST_CHATS) this.#kept.delete(this.#kept.keys().next().value);
  }

  /** What is kept of a chat, to be open from here on. */
  take(chatId) {
    const kept = this.#kept.get(chatId);
    this.#kept.delete(chatId);
    return kept;
  }

  drop(chatId) {
    this.#kept.delete(chatId);
  }
}
