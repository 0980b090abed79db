/** What the page knows: the chats, and the messages, people, typing and reading of the chat that is open. */
import { Batches } from './batches.js';
import { ChatPages } from './chat-pages.js';
import * as chats from './chats.js';
import { KeptChats } from './kept-chats.js';
import { namedIn } from './lines.js';
import { Lookups } from './lookups.js';
import { asTombstone, merge, within } from './messages.js';
import { learn, renamed, seated, unseated, userOf, withEntries } from './people.js';
import { Typing } from './typing.js';

const CROWD_MS = 50;          // many chats and people change at once: the page is drawn once for all
const TOLD_AGAIN_MS = 10_000; // as long as a toast is shown

const NONE = [];
const NOBODY = new Map();

/**
 * Of the open chat: `failed` is the error of a chat that could not be loaded, `gone` is why one is no longer in it
 * ('removed', 'left' or 'deleted'). Values keep their identity while nothing of them changes.
 */
const NOTHING_OPEN = {
  chatId: null, chat: null, loading: true, failed: null, gone: null,
  messages: NONE, hasBefore: false, people: NONE, typing: NOBODY, reads: NOBODY,
};

const isNoLongerMine = ({ code }) => code === 'NOT_PARTICIPANT' || code === 'NOT_FOUND';
const isById = (chatId) => ({ id }) => id === chatId;

export class ChatStore {
  state = {
    connection: 'connecting', wasOnline: false, user: null, outbox: [],
    chats: null, users: new Map(), presence: NOBODY,
    ...NOTHING_OPEN,
  };

  #client; #onError; #preferredChatId; #unsubscribe; #pages; #strangers; #lookups;
  #listeners = new Set();
  #kept = new KeptChats();
  #typing = new Typing((typing) => this.#set({ typing }));
  #left = new Set();     // chats one is no longer in: an answer that was under way does not bring them back
  #told = new Map();     // error code -> when it was shown
  #drawTimer = null;

  constructor(client, { preferredChatId, onError }) {
    this.#client = client;
    this.#onError = onError;
    this.#preferredChatId = preferredChatId;
    const tellOnce = (error) => this.#reportOnce(error);

    this.#pages = new ChatPages({
      ask: (page) => client.get(`/chats?${page}`),
      onPage: (page) => this.#onChatPage(page),
      onEnd: (isThere) => this.#set({ chats: chats.without(this.state.chats, ({ id }) => !isThere(id)) }),
      onError: tellOnce,
    });
    this.#strangers = new Batches({
      size: 1,
      ask: async ([chatId]) => {
        if (!this.#find(chatId) && !this.#left.has(chatId)) this.#putChat((await client.get(`/chats/${chatId}`)).data);
      },
      onError: (error) => isNoLongerMine(error) || tellOnce(error),
    });
    this.#lookups = new Lookups({
      askPresence: async (ids) => this.#onPresence(await client.presence(ids)),
      askNames: async (ids) => this.#learn((await client.get(`/users?ids=${ids.map(encodeURIComponent)}`)).data),
      onError: tellOnce,
    });
    this.#unsubscribe = Object.entries(this.#events()).map(([event, listener]) => client.on(event, listener));
  }

  #events() {
    const here = (handle) => (data) => data.chatId === this.state.chatId && handle(data);
    return {
      state: (data) => this.#onState(data),
      outbox: (outbox) => this.#set({ outbox }),
      sent: (message) => this.#onMessage(message),
      history: here((data) => this.#onHistory(data)),
      roomFailed: here(({ error }) => this.#set({ failed: error })),
      roomLost: ({ chatId, error }) => this.#onGone(chatId, error.code === 'NOT_FOUND' ? 'deleted' : 'removed'),
      newMessage: ({ message }) => this.#onMessage(message),
      messageUpdated: ({ message }) => this.#onMessage(message),
      messageDeleted: (data) => this.#onDeleted(data),
      messageRead: here(({ userId, messageId }) => this.#set({ reads: withEntries(this.state.reads, [[userId, messageId]]) })),
      userTyping: here(({ userId, isTyping }) => this.#onTyping(userId, isTyping)),
      userUpdated: ({ user }) => this.#learn([user], { isFinal: true }),
      presenceChanged: (data) => this.#onPresence([data]),
      unreadUpdated: ({ chatId, unreadCount, lastReadMessageId, lastMessage }) => this.#changeChat(chatId, { unreadCount, lastReadMessageId, lastMessage }),
      chatCreated: ({ chat }) => this.#onInvited(chat.id, chat),
      chatUpdated: ({ chatId, chat, timestamp }) => this.#changeChat(chatId, { ...chat, updatedAt: timestamp }),
      chatDeleted: ({ chatId }) => this.#onGone(chatId, 'deleted'),
      removedFromChat: ({ chatId, reason }) => this.#onGone(chatId, reason),
      participantAdded: (data) => this.#onParticipant(data),
      participantUpdated: (data) => this.#onParticipant(data),
      participantRemoved: (data) => this.#onParticipantRemoved(data),
    };
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all that goes on by itself; the client may live on. */
  stop() {
    this.#unsubscribe.forEach((stop) => stop());
    this.#listeners.clear();
    this.#typing.clear();
    clearTimeout(this.#drawTimer);
    for (const work of [this.#pages, this.#strangers, this.#lookups]) work.stop();
  }

  // ---- what a user does

  async select(chatId) {
    if (chatId === this.state.chatId && !this.state.gone) return;
    this.#close();
    const { place, ...kept } = this.#kept.take(chatId) ?? {};
    this.#set({ ...NOTHING_OPEN, ...kept, chatId, chat: this.#find(chatId) ?? null });
    this.#set({ people: renamed(this.state.people, this.state.users) });
    this.#askPresence();
    await this.#attempt(() => this.#client.open(chatId, place));
  }

  /** Asks again for the open chat that could not be loaded. */
  async retry() {
    const { chatId } = this.state;
    this.#set({ failed: null });
    this.#client.leave(chatId).catch(() => {});
    await this.#attempt(() => this.#client.open(chatId));
  }

  loadEarlier() {
    const { chatId, messages } = this.state;
    return this.#attempt(async () => {
      const { data, page } = await this.#client.history(chatId, { before: messages[0].id });
      if (chatId === this.state.chatId) this.#show(data, { hasBefore: page.hasBefore });
    });
  }

  edit(messageId, content) {
    return this.#attempt(async () => this.#onMessage(await this.#client.edit(messageId, content)));
  }

  delete(messageId) {
    return this.#attempt(async () => this.#onMessage(await this.#client.delete(messageId)));
  }

  // ---- the connection

  #onState({ state }) {
    if (state !== 'online') {
      // What happens meanwhile is not pushed, and the whole list is read again afterwards.
      this.#typing.clear();
      this.#left.clear();
      this.#strangers.clear();
      return this.#set({ connection: state });
    }
    const { user } = this.#client;
    this.#set({ connection: state, wasOnline: true, user });
    this.#learn([user]);
    this.#lookups.forget();
    this.#askPresence();
    return this.#pages.start();
  }

  // ---- the list of chats

  #onChatPage(page) {
    const mine = page.filter(({ id }) => !this.#left.has(id)).map((chat) => this.#renewed(chat));
    this.#set({ chats: chats.putAll(this.state.chats ?? NONE, mine) });
    if (this.state.chatId !== null) return;
    const next = this.#find(this.#preferredChatId) ?? this.state.chats[0];
    if (next) this.select(next.id);
  }

  /** A chat as an answer or a push tells it, beside what is known of it. */
  #renewed(chat) {
    this.#learn((chat.participants ?? []).map(userOf));
    const known = this.#find(chat.id);
    const told = chats.asEntry(chat, this.state.user?.id);
    return known && this.#pages.isTouched(chat.id) ? chats.overtaken(known, told) : chats.renewed(known, told);
  }

  #putChat(chat) {
    if (!this.#left.has(chat.id)) this.#replaceChat(this.#renewed(chat));
  }

  #replaceChat(chat) {
    this.#pages.touch(chat.id);
    this.#soon({ chats: chats.put(this.state.chats ?? NONE, chat) });
  }

  /** A push told something of a chat. One that is not in the list is asked for. */
  #changeChat(chatId, patch) {
    const known = this.#find(chatId);
    if (known) this.#replaceChat(chats.patched(known, patch));
    else if (!this.#left.has(chatId)) this.#strangers.add([chatId]);
  }

  /** One is in a chat that one was not in before: `chat` as the push tells it, or nothing but its id. */
  #onInvited(chatId, chat) {
    this.#left.delete(chatId);
    if (chat) this.#putChat(chat);
    else this.#strangers.add([chatId]);
    const { chatId: openId, gone, chats: list } = this.state;
    if ((openId === null && list !== null) || (openId === chatId && gone)) this.select(chatId);
  }

  /** One is no longer in a chat. It stays in view if it is open: nobody is sent elsewhere unasked. */
  #onGone(chatId, reason) {
    this.#left.add(chatId);
    this.#kept.drop(chatId);
    this.#pages.touch(chatId);
    this.#set({ chats: this.state.chats && chats.without(this.state.chats, isById(chatId)) });
    if (chatId !== this.state.chatId) return;
    this.#typing.clear();
    this.#client.leave(chatId).catch(() => {}); // the server has done so already
    this.#set({ gone: reason, loading: false, failed: null, people: NONE });
  }

  // ---- the open chat

  /** Keeps what is known of the open chat, and leaves its room. */
  #close() {
    const { chatId, gone, messages, hasBefore, people, reads } = this.state;
    this.#typing.clear();
    if (chatId === null || gone) return;
    const place = this.#client.placeOf(chatId);
    if (place) this.#kept.keep(chatId, { messages, hasBefore, people, reads, loading: false, place });
    this.#client.leave(chatId).catch(() => {});
  }

  /** What was missed, or the latest page. People and settings come with it when they changed. */
  #onHistory({ chatId, messages, hasBefore, reset, joined, participants = joined?.sync?.participants, chat = joined?.sync?.chat }) {
    const seats = participants ?? [];
    const reads = [...seats, ...(joined?.reads ?? [])].map(({ userId, lastReadMessageId }) => [userId, lastReadMessageId]);
    this.#learn(seats.map(userOf));
    this.#show(reset ? messages : within(this.state, messages), {
      ...(reset && { messages: NONE, hasBefore }),
      ...(participants && { people: seats.map((each) => this.#named(each)) }),
      reads: withEntries(this.state.reads, reads),
      loading: false,
      failed: null,
    });
    if (chat) this.#putChat(chat);
    if (joined) this.#changeChat(chatId, { role: joined.role, unreadCount: joined.unreadCount, lastReadMessageId: joined.lastReadMessageId });
    if (participants) this.#askPresence();
    joined?.typing?.forEach((userId) => this.#onTyping(userId, true));
  }

  /** Puts messages into the open chat, and asks for the names of those who wrote them. */
  #show(messages, patch = {}) {
    this.#change(patch);
    this.#set({ messages: merge(this.state.messages, messages) });
    for (const { senderId, replyTo, system } of messages) {
      this.#askName(senderId);
      if (replyTo) this.#askName(replyTo.senderId);
      if (system) namedIn(system).forEach((userId) => this.#askName(userId));
    }
  }

  #onMessage(message) {
    const known = this.#find(message.chatId);
    if (known) this.#replaceChat(chats.withMessage(known, message, this.state.user?.id));
    else this.#changeChat(message.chatId, {});
    if (message.chatId !== this.state.chatId) return;
    if (!message.editedAt && !message.deletedAt && !message.system) this.#typing.set(message.senderId, false);
    this.#show(within(this.state, [message]));
  }

  #onDeleted(data) {
    const known = this.#find(data.chatId);
    if (known) this.#replaceChat(chats.withDeletion(known, data));
    const message = data.chatId === this.state.chatId && this.state.messages.find(isById(data.messageId));
    if (message) this.#show([asTombstone(message, data)]);
  }

  #onTyping(userId, isTyping) {
    this.#typing.set(userId, isTyping);
    if (isTyping) this.#askName(userId);
  }

  // ---- people

  #onParticipant({ chatId, participant, participantCount }) {
    const { userId, role, lastReadMessageId } = participant;
    const isMe = userId === this.state.user?.id;
    if (isMe && !this.#find(chatId)) return this.#onInvited(chatId);
    this.#learn([userOf(participant)]);
    this.#changeChat(chatId, { participantCount, ...(isMe && { role }) });
    if (chatId !== this.state.chatId) return undefined;
    this.#soon({
      people: seated(this.state.people, this.#named(participant)),
      reads: withEntries(this.state.reads, [[userId, lastReadMessageId]]),
    });
    this.#lookups.presenceOf([userId]);
    return this.#askName(userId);
  }

  #onParticipantRemoved({ chatId, participantId, participantCount }) {
    if (participantId === this.state.user?.id) return this.#onGone(chatId, 'removed');
    this.#changeChat(chatId, { participantCount });
    if (chatId === this.state.chatId) this.#soon({ people: unseated(this.state.people, participantId) });
    return undefined;
  }

  #askName(userId) {
    if (!this.state.users.get(userId)?.name) this.#lookups.nameOf(userId);
  }

  #askPresence() {
    this.#lookups.presenceOfOnly(this.state.people.map(({ userId }) => userId));
  }

  #onPresence(list) {
    this.#soon({ presence: withEntries(this.state.presence, list.map((entry) => [entry.userId, entry])) });
  }

  #learn(told, options) {
    const users = learn(this.state.users, told, options);
    if (users !== this.state.users) this.#soon({ users, people: renamed(this.state.people, users) });
  }

  #named(participant) {
    return renamed([participant], this.state.users)[0];
  }

  // ---- plumbing

  #find(chatId) {
    return this.state.chats?.find(isById(chatId));
  }

  /** Answers whether it worked. A lost connection is no error to show: the banner says it already. */
  async #attempt(action) {
    try {
      await action();
      return true;
    } catch (error) {
      if (error.code !== 'DISCONNECTED' || this.state.connection === 'online') this.#report(error);
      return false;
    }
  }

  /** That one is no longer in a chat the page says where it stands. */
  #report(error) {
    if (error.code !== 'NOT_PARTICIPANT' || !this.state.gone) this.#onError(error);
  }

  /** What fails in the background fails for many at once: one of a kind is enough for a while. */
  #reportOnce(error) {
    const now = Date.now();
    if (now - (this.#told.get(error.code) ?? -Infinity) < TOLD_AGAIN_MS) return;
    this.#told.set(error.code, now);
    this.#report(error);
  }

  #set(patch) {
    this.#change(patch);
    this.#draw();
  }

  /** The state changes now, and the page is drawn a little later: a thousand people may come online at once. */
  #soon(patch) {
    this.#change(patch);
    this.#drawTimer ??= setTimeout(() => this.#draw(), CROWD_MS);
  }

  #change(patch) {
    const { chats: before } = this.state;
    this.state = { ...this.state, ...patch };
    if (this.state.chats !== before) this.state.chat = this.#find(this.state.chatId) ?? this.state.chat;
  }

  #draw() {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = null;
    this.#listeners.forEach((listener) => listener(this.state));
  }
}
