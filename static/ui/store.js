/** What the page shows: the store of the client package, and which of its chats is open. */
import { ChatStore as Store } from '../vendor/chatgateway-client/src/store/store.js';
import { UNREAD_YET } from '../vendor/chatgateway-client/src/store/views.js';

export class ChatStore {
  #store; #onError; #preferredChatId; #shown;
  #chatId = null;
  #unfollow = null;
  #listeners = new Set();

  constructor(client, { preferredChatId, onError }) {
    this.#onError = onError;
    this.#preferredChatId = preferredChatId;
    this.#store = new Store(client, { onError });
    this.#store.subscribe(() => this.#onChange());
  }

  /** All that the store knows, with what it knows of the open chat. The same object while nothing of it changes. */
  get state() {
    const snapshot = this.#store.getSnapshot();
    if (this.#shown?.snapshot !== snapshot || this.#shown.state.chatId !== this.#chatId) {
      const state = { ...snapshot, ...UNREAD_YET, ...this.#store.getChat(this.#chatId), chatId: this.#chatId };
      this.#shown = { snapshot, state };
    }
    return this.#shown.state;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop() {
    this.#listeners.clear();
    this.#store.stop();
  }

  async select(chatId) {
    if (chatId === this.#chatId && !this.state.gone) return;
    this.#unfollow?.();
    this.#chatId = chatId;
    this.#unfollow = this.#store.follow(chatId);
  }

  /** Asks again for the open chat that could not be loaded. */
  async retry() { this.#store.retry(this.#chatId); }

  loadEarlier() { return this.#attempt(() => this.#store.loadEarlier(this.#chatId)); }
  edit(messageId, content) { return this.#attempt(() => this.#store.edit(messageId, content)); }
  delete(messageId) { return this.#attempt(() => this.#store.delete(messageId)); }

  /** Somebody who has chats sees one of them. */
  #onChange() {
    const { chats, chatId } = this.state;
    if (chatId === null && chats?.length > 0) this.select((chats.find(({ id }) => id === this.#preferredChatId) ?? chats[0]).id);
    this.#listeners.forEach((listener) => listener(this.state));
  }

  /** Answers whether it worked. A lost connection is no error to show: the banner says it already. */
  async #attempt(action) {
    try {
      await action();
      return true;
    } catch (error) {
      const { connection, gone } = this.state;
      const isSaid = error.code === 'DISCONNECTED' ? connection !== 'online' : error.code === 'NOT_PARTICIPANT' && gone;
      if (!isSaid) this.#onError(error);
      return false;
    }
  }
}
