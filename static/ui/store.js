/** What the page knows: the chats, and the messages, people, typing and reading of the chat that is open. */
import { asTombstone, merge } from './messages.js';

const TYPING_LASTS_MS = 8_000; // the server ends it after 6 s; this is for the event that got lost

const NOTHING_OPEN = { messages: [], hasBefore: false, loading: true, people: [], presence: new Map(), typing: new Map(), reads: new Map() };

export class ChatStore {
  state = { connection: 'connecting', wasOnline: false, user: null, chats: null, chatId: null, outbox: [], ...NOTHING_OPEN };

  #client; #onError; #preferredChatId;
  #listeners = new Set();
  #typingTimers = new Map();

  constructor(client, { preferredChatId, onError }) {
    this.#client = client;
    this.#onError = onError;
    this.#preferredChatId = preferredChatId;
    const here = (handle) => (data) => data.chatId === this.state.chatId && handle(data);
    const listeners = {
      state: (data) => this.#onState(data),
      outbox: (outbox) => this.#set({ outbox }),
      sent: here((message) => this.#merge([message])),
      history: here((data) => this.#onHistory(data)),
      newMessage: here(({ message }) => this.#onNewMessage(message)),
      messageUpdated: here(({ message }) => this.#merge([message])),
      messageDeleted: here((data) => this.#onDeleted(data)),
      messageRead: here(({ userId, messageId }) => this.#onRead(userId, messageId)),
      userTyping: here(({ userId, isTyping }) => this.#onTyping(userId, isTyping)),
      userJoined: here(({ userId }) => this.#onJoined(userId)),
      participantAdded: here(() => this.#loadPeople()),
      participantRemoved: here(() => this.#loadPeople()),
      participantUpdated: here(() => this.#loadPeople()),
      presenceChanged: (data) => this.#set({ presence: new Map(this.state.presence).set(data.userId, data) }),
      unreadUpdated: (data) => this.#changeChat(data.chatId, data),
      chatCreated: () => this.#loadChats(),
      chatDeleted: () => this.#loadChats(),
      removedFromChat: () => this.#loadChats(),
    };
    for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop() {
    this.#listeners.clear();
    this.#typingTimers.forEach(clearTimeout);
  }

  async select(chatId) {
    const previous = this.state.chatId;
    if (chatId === previous) return;
    this.#set({ ...NOTHING_OPEN, chatId });
    this.#changeChat(chatId, { unreadCount: 0 });
    await this.#attempt(async () => {
      // Leaving may fail for a chat one was just removed from; there is nothing left to do about it then.
      if (previous !== null) this.#client.leave(previous).catch(() => {});
      await Promise.all([this.#client.open(chatId), this.#loadPeople()]);
    });
  }

  async loadEarlier() {
    const { chatId, messages } = this.state;
    await this.#attempt(async () => {
      const { data, page } = await this.#client.history(chatId, { before: messages[0].id });
      if (chatId === this.state.chatId) this.#set({ messages: merge(this.state.messages, data), hasBefore: page.hasBefore });
    });
  }

  edit(messageId, content) {
    return this.#attempt(async () => this.#merge([await this.#client.edit(messageId, content)]));
  }

  delete(messageId) {
    return this.#attempt(async () => this.#merge([await this.#client.delete(messageId)]));
  }

  // ---- events

  async #onState({ state }) {
    if (state !== 'online') return this.#set({ connection: state, typing: new Map() });
    this.#set({ connection: state, wasOnline: true, user: this.#client.user });
    await this.#loadChats();
    await this.#loadPeople();
  }

  #onHistory({ messages, hasBefore, reset, joined }) {
    const reads = new Map(this.state.reads);
    joined?.reads?.forEach(({ userId, lastReadMessageId }) => reads.set(userId, lastReadMessageId));
    this.#set({
      messages: merge(reset ? [] : this.state.messages, messages),
      hasBefore: reset ? hasBefore : this.state.hasBefore,
      loading: false,
      reads,
    });
    joined?.typing?.forEach((entry) => this.#onTyping(entry.userId ?? entry, true));
  }

  #onNewMessage(message) {
    this.#onTyping(message.senderId, false);
    this.#merge([message]);
    this.#changeChat(message.chatId, { lastMessage: message });
  }

  #onDeleted(data) {
    const message = this.state.messages.find(({ id }) => id === data.messageId);
    if (message) this.#merge([asTombstone(message, data)]);
  }

  #onRead(userId, messageId) {
    this.#set({ reads: new Map(this.state.reads).set(userId, messageId) });
  }

  #onTyping(userId, isTyping) {
    clearTimeout(this.#typingTimers.get(userId));
    const typing = new Map(this.state.typing);
    if (isTyping) {
      typing.set(userId, true);
      this.#typingTimers.set(userId, setTimeout(() => this.#onTyping(userId, false), TYPING_LASTS_MS));
    } else if (!typing.delete(userId)) {
      return;
    }
    this.#set({ typing });
  }

  #onJoined(userId) {
    // Somebody new, or somebody whose name the server has only now learned from the token.
    if (!this.state.people.find((person) => person.userId === userId)?.name) this.#loadPeople();
  }

  // ---- loading

  #loadChats() {
    return this.#attempt(async () => {
      const chats = await this.#client.chats();
      const { chatId } = this.state;
      this.#set({ chats });
      if (chats.some(({ id }) => id === chatId)) return;
      const next = chats.find(({ id }) => id === this.#preferredChatId) ?? chats[0];
      if (next) await this.select(next.id);
      else this.#set({ ...NOTHING_OPEN, chatId: null, loading: false });
    });
  }

  #loadPeople() {
    const { chatId } = this.state;
    if (chatId === null) return undefined;
    return this.#attempt(async () => {
      const people = await this.#client.participants(chatId);
      const known = await this.#client.presence(people.map(({ userId }) => userId));
      if (chatId !== this.state.chatId) return;
      const presence = new Map(known.map((entry) => [entry.userId, entry]));
      const reads = new Map(people.map((person) => [person.userId, person.lastReadMessageId]));
      this.#set({ people, presence, reads: new Map([...reads, ...this.state.reads]) });
    });
  }

  // ---- plumbing

  #merge(messages) {
    this.#set({ messages: merge(this.state.messages, messages) });
  }

  #changeChat(chatId, { unreadCount, lastMessage }) {
    const patch = { ...(unreadCount !== undefined && { unreadCount }), ...(lastMessage && { lastMessage }) };
    this.#set({ chats: this.state.chats?.map((chat) => (chat.id === chatId ? { ...chat, ...patch } : chat)) ?? null });
  }

  /** Answers whether it worked. A lost connection is no error to show: the banner says it already. */
  async #attempt(action) {
    try {
      await action();
      return true;
    } catch (error) {
      if (error.code !== 'DISCONNECTED' || this.state.connection === 'online') this.#onError(error);
      return false;
    }
  }

  #set(patch) {
    this.state = { ...this.state, ...patch };
    this.#listeners.forEach((listener) => listener(this.state));
  }
}
