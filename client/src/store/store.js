/**
 * What a client knows, for a user interface: the chats with their unread counts, and the messages, people, typing and
 * reading of the chats that are followed. It is shaped for React's `useSyncExternalStore`, and needs no React.
 *
 *   const store = new ChatStore(client);
 *   const stop = store.follow(1);
 *   store.subscribe(() => show(store.getChat(1)));
 *
 * What it gives never changes: a change makes a new object, and what did not change stays the same object.
 */
import { Batches } from './batches.js';
import { ChatPages } from './chat-pages.js';
import * as chats from './chats.js';
import { KeptChats } from './kept-chats.js';
import { Lookups } from './lookups.js';
import { asTombstone, merge, namedIn, within } from './messages.js';
import { learn, renamed, seated, unseated, userOf, withEntries } from './people.js';
import { Typing } from './typing.js';
import { Told } from './told.js';
import { Timelines } from './unsent.js';
import { UNREAD_YET, withPatches } from './views.js';

const CROWD_MS = 50; // many chats and people change at once: the listeners are called once for all
const NONE = [];
const NOBODY = new Map();

const isNoLongerMine = ({ code }) => code === 'NOT_PARTICIPANT' || code === 'NOT_FOUND';
const isById = (chatId) => ({ id }) => id === chatId;

export class ChatStore {
  #state = {
    connection: 'connecting', wasOnline: false, user: null, outbox: NONE,
    chats: null, users: new Map(), presence: NOBODY, followed: NOBODY,
  };

  #client; #onError; #unsubscribe; #pages; #strangers; #lookups;
  #listeners = new Set();
  #followers = new Map(); // chatId -> how many follow it
  #typing = new Map();    // chatId -> Typing
  #timelines = new Timelines();
  #kept = new KeptChats();
  #left = new Set();      // chats one is no longer in: an answer that was under way does not bring them back
  #told = new Told();
  #drawTimer = null;

  /**
   * The client may be connected before or after. `onError(error)` hears of what failed in the background, once for
   * each kind.
   */
  constructor(client, { onError = () => {} } = {}) {
    this.#client = client;
    this.#onError = onError;
    const tellOnce = (error) => this.#tellOnce(error);

    this.#pages = new ChatPages({
      ask: (page) => client.get(`/chats?${page}`),
      onPage: (page) => this.#onChatPage(page),
      onEnd: (isThere) => this.#set({ chats: chats.without(this.#state.chats, ({ id }) => !isThere(id)) }),
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
    if (client.outbox) this.#change({ outbox: client.outbox });
    if (client.state === 'online') this.#onState(client);
  }

  #events() {
    const here = (handle) => (data) => this.getChat(data.chatId) && handle(data);
    return {
      state: (data) => this.#onState(data),
      outbox: (outbox) => this.#set({ outbox }),
      sent: (message) => this.#onMessage(message),
      history: here((data) => this.#onHistory(data)),
      roomFailed: here(({ chatId, error }) => this.#set(this.#with(chatId, { failed: error }))),
      roomLost: ({ chatId, error }) => this.#onGone(chatId, error.code === 'NOT_FOUND' ? 'deleted' : 'removed'),
      newMessage: ({ message }) => this.#onMessage(message),
      messageUpdated: ({ message }) => this.#onMessage(message),
      messageDeleted: (data) => this.#onDeleted(data),
      messageRead: here(({ chatId, userId, messageId }) => this.#set(this.#withReads(chatId, [[userId, messageId]]))),
      userTyping: here(({ chatId, userId, isTyping }) => this.#onTyping(chatId, userId, isTyping)),
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

  /** `listener()` is called after changes. Returns the function that ends it. */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** All of it: {connection, wasOnline, user, outbox, chats, users, presence, followed}; `chats` is null before the first page. */
  getSnapshot = () => this.#state;

  /** A chat that is followed: {chat, loading, failed, gone, messages, hasBefore, people, typing, reads}; otherwise undefined. */
  getChat(chatId) {
    return this.#state.followed.get(chatId);
  }

  /** The messages of a chat that is followed, and after them what waits to be sent: it has a `delivery`, and no id. */
  getTimeline(chatId) {
    const { outbox, user } = this.#state;
    return this.#timelines.of(chatId, { messages: this.getChat(chatId)?.messages ?? NONE, outbox, userId: user?.id });
  }

  /** Ends all that goes on by itself; the client may live on. */
  stop() {
    this.#unsubscribe.forEach((stop) => stop());
    this.#listeners.clear();
    this.#typing.forEach((typing) => typing.clear());
    clearTimeout(this.#drawTimer);
    for (const work of [this.#pages, this.#strangers, this.#lookups]) work.stop();
  }

  // ---- the chats that are followed

  /**
   * Follow a chat until the function that this returns is called. Several may follow one chat. Who ends it and begins
   * again in the same moment loses nothing and asks nothing.
   */
  follow(chatId) {
    this.#followers.set(chatId, (this.#followers.get(chatId) ?? 0) + 1);
    if (this.getChat(chatId)?.gone !== null) this.#open(chatId);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#followers.set(chatId, this.#followers.get(chatId) - 1);
      queueMicrotask(() => this.#followers.get(chatId) === 0 && this.#close(chatId));
    };
  }

  #open(chatId) {
    const { place, ...kept } = this.#kept.take(chatId) ?? {};
    const view = { ...UNREAD_YET, ...kept, chat: this.#find(chatId) ?? null };
    this.#typing.get(chatId)?.clear();
    this.#typing.set(chatId, new Typing((typing) => this.#set(this.#with(chatId, { typing }))));
    this.#set({ followed: new Map([...this.#state.followed, [chatId, { ...view, people: renamed(view.people, this.#state.users) }]]) });
    this.#askPresence();
    this.#client.open(chatId, place).catch((error) => this.#tellOnce(error));
  }

  /** Keeps what is known of the chat, and leaves its room. */
  #close(chatId) {
    const { gone, messages, hasBefore, people, reads } = this.getChat(chatId);
    this.#typing.get(chatId).clear();
    for (const each of [this.#typing, this.#followers, this.#timelines]) each.delete(chatId);
    const place = gone ? null : this.#client.placeOf(chatId);
    if (place) this.#kept.keep(chatId, { messages, hasBefore, people, reads, loading: false, place });
    this.#set({ followed: new Map([...this.#state.followed].filter(([id]) => id !== chatId)) });
    if (!gone) this.#client.leave(chatId).catch(() => {});
  }

  /** Ask again for a chat that could not be loaded. */
  retry(chatId) {
    this.#set(this.#with(chatId, { failed: null }));
    this.#client.leave(chatId).catch(() => {});
    this.#client.open(chatId).catch((error) => this.#tellOnce(error));
  }

  /** Read the page of messages before the oldest one that is loaded. Rejects with a ChatError. */
  async loadEarlier(chatId) {
    const { data, page } = await this.#client.history(chatId, { before: this.getChat(chatId).messages[0]?.id });
    if (this.getChat(chatId)) this.#show(chatId, data, { hasBefore: page.hasBefore });
  }

  /** Edit or delete a message; the store has it at once. They reject with a ChatError. */
  async edit(messageId, content) { this.#onMessage(await this.#client.edit(messageId, content)); }
  async delete(messageId) { this.#onMessage(await this.#client.delete(messageId)); }

  // ---- the connection

  #onState({ state }) {
    if (state !== 'online') {
      // What happens meanwhile is not pushed, and the whole list is read again afterwards.
      this.#typing.forEach((typing) => typing.clear());
      this.#left.clear();
      this.#strangers.clear();
      return this.#set({ connection: state });
    }
    this.#set({ connection: state, wasOnline: true, user: this.#client.user });
    this.#learn([this.#client.user]);
    this.#lookups.forget();
    this.#askPresence();
    return this.#pages.start();
  }

  // ---- the list of chats

  #onChatPage(page) {
    const mine = page.filter(({ id }) => !this.#left.has(id)).map((chat) => this.#renewed(chat));
    this.#set({ chats: chats.putAll(this.#state.chats ?? NONE, mine) });
  }

  /** A chat as an answer or a push tells it, beside what is known of it. */
  #renewed(chat) {
    this.#learn((chat.participants ?? []).map(userOf));
    const known = this.#find(chat.id);
    const told = chats.asEntry(chat, this.#state.user?.id);
    return known && this.#pages.isTouched(chat.id) ? chats.overtaken(known, told) : chats.renewed(known, told);
  }

  #putChat(chat) {
    if (!this.#left.has(chat.id)) this.#replaceChat(this.#renewed(chat));
  }

  #replaceChat(chat) {
    this.#pages.touch(chat.id);
    this.#soon({ chats: chats.put(this.#state.chats ?? NONE, chat) });
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
    if (this.getChat(chatId)?.gone) this.#open(chatId);
  }

  /** One is no longer in a chat. Who follows it sees why, and what was read before. */
  #onGone(chatId, reason) {
    this.#left.add(chatId);
    this.#kept.drop(chatId);
    this.#pages.touch(chatId);
    this.#set({ chats: this.#state.chats && chats.without(this.#state.chats, isById(chatId)) });
    if (!this.getChat(chatId)) return;
    this.#typing.get(chatId).clear();
    this.#client.leave(chatId).catch(() => {}); // the server has done so already
    this.#set(this.#with(chatId, { gone: reason, loading: false, failed: null, people: NONE }));
  }

  // ---- messages

  /** What was missed, or the latest page. People and settings come with it when they changed. */
  #onHistory({ chatId, messages, hasBefore, reset, joined, participants = joined?.sync?.participants, chat = joined?.sync?.chat }) {
    const seats = participants ?? [];
    const view = this.getChat(chatId);
    const reads = [...seats, ...(joined?.reads ?? [])].map(({ userId, lastReadMessageId }) => [userId, lastReadMessageId]);
    this.#learn(seats.map(userOf));
    this.#show(chatId, reset ? messages : within(view, messages), {
      ...(reset && { messages: NONE, hasBefore }),
      ...(participants && { people: renamed(seats, this.#state.users) }),
      reads: withEntries(view.reads, reads),
      loading: false,
      failed: null,
    });
    if (chat) this.#putChat(chat);
    if (joined) this.#changeChat(chatId, { role: joined.role, unreadCount: joined.unreadCount, lastReadMessageId: joined.lastReadMessageId });
    if (participants) this.#askPresence();
    joined?.typing?.forEach((userId) => this.#onTyping(chatId, userId, true));
  }

  /** Puts messages into a chat, and asks for the names of those who wrote them. */
  #show(chatId, messages, patch = {}) {
    this.#set(this.#with(chatId, { ...patch, messages: merge(patch.messages ?? this.getChat(chatId).messages, messages) }));
    messages.flatMap(namedIn).forEach((userId) => this.#askName(userId));
  }

  #onMessage(message) {
    const { chatId } = message;
    const known = this.#find(chatId);
    if (known) this.#replaceChat(chats.withMessage(known, message, this.#state.user?.id));
    else this.#changeChat(chatId, {});
    const view = this.getChat(chatId);
    if (!view) return;
    if (!message.editedAt && !message.deletedAt && !message.system) this.#typing.get(chatId).set(message.senderId, false);
    this.#show(chatId, within(view, [message]));
  }

  #onDeleted(data) {
    const known = this.#find(data.chatId);
    if (known) this.#replaceChat(chats.withDeletion(known, data));
    const message = this.getChat(data.chatId)?.messages.find(isById(data.messageId));
    if (message) this.#show(data.chatId, [asTombstone(message, data)]);
  }

  #onTyping(chatId, userId, isTyping) {
    this.#typing.get(chatId).set(userId, isTyping);
    if (isTyping) this.#askName(userId);
  }

  // ---- people

  #onParticipant({ chatId, participant, participantCount }) {
    const { userId, role, lastReadMessageId } = participant;
    const isMe = userId === this.#state.user?.id;
    if (isMe && !this.#find(chatId)) return this.#onInvited(chatId);
    this.#learn([userOf(participant)]);
    this.#changeChat(chatId, { participantCount, ...(isMe && { role }) });
    const view = this.getChat(chatId);
    if (!view) return undefined;
    this.#soon(this.#with(chatId, {
      people: seated(view.people, renamed([participant], this.#state.users)[0]),
      reads: withEntries(view.reads, [[userId, lastReadMessageId]]),
    }));
    this.#lookups.presenceOf([userId]);
    return this.#askName(userId);
  }

  #onParticipantRemoved({ chatId, participantId, participantCount }) {
    if (participantId === this.#state.user?.id) return this.#onGone(chatId, 'removed');
    this.#changeChat(chatId, { participantCount });
    const view = this.getChat(chatId);
    return view && this.#soon(this.#with(chatId, { people: unseated(view.people, participantId) }));
  }

  #askName(userId) {
    if (!this.#state.users.get(userId)?.name) this.#lookups.nameOf(userId);
  }

  #askPresence() {
    this.#lookups.presenceOfOnly([...this.#state.followed.values()].flatMap(({ people }) => people.map(({ userId }) => userId)));
  }

  #onPresence(list) {
    this.#soon({ presence: withEntries(this.#state.presence, list.map((entry) => [entry.userId, entry])) });
  }

  #learn(told, options) {
    const users = learn(this.#state.users, told, options);
    this.#soon({ users, ...this.#withAll((view) => ({ people: renamed(view.people, users) })) });
  }

  // ---- plumbing

  #find(chatId) {
    return this.#state.chats?.find(isById(chatId));
  }

  /** The patch that changes one chat that is followed. */
  #with(chatId, patch) {
    return this.#withAll((view, id) => (id === chatId ? patch : {}));
  }

  #withReads(chatId, reads) {
    return this.#with(chatId, { reads: withEntries(this.getChat(chatId).reads, reads) });
  }

  #withAll(patchOf) {
    return { followed: withPatches(this.#state.followed, patchOf) };
  }

  /** That the user is no longer in a chat is no error: the chat says it. */
  #tellOnce(error) {
    if (error.code === 'DISCONNECTED' && this.#state.connection !== 'online') return;
    if (error.code === 'NOT_PARTICIPANT' && [...this.#state.followed.values()].some(({ gone }) => gone)) return;
    if (this.#told.isNews(error)) this.#onError(error);
  }

  #set(patch) {
    if (this.#change(patch)) this.#draw();
  }

  /** The state changes now, and the listeners are called a little later: a thousand people may come online at once. */
  #soon(patch) {
    if (this.#change(patch)) this.#drawTimer ??= setTimeout(() => this.#draw(), CROWD_MS);
  }

  #change(patch) {
    const before = this.#state;
    if (Object.keys(patch).every((key) => patch[key] === before[key])) return false;
    this.#state = { ...before, ...patch };
    if (this.#state.chats !== before.chats) {
      Object.assign(this.#state, this.#withAll((view, chatId) => ({ chat: this.#find(chatId) ?? view.chat })));
    }
    return true;
  }

  #draw() {
    clearTimeout(this.#drawTimer);
    this.#drawTimer = null;
    this.#listeners.forEach((listener) => listener());
  }
}
