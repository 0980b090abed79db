/** The routes of the server that a front end uses, a method each. docs/rest.md has them all. */
/** @import { ChatsOptions, HistoryOptions, RequestOptions, RestRequest } from './types.js' */
/** @import { Chat, CreateChat, Message, MessagesAnswer, Participant, Profile, Read, Revision } from './wire.js' */
/** @import { Role, UnreadChats, UpdateChat, UserId } from './wire.js' */

const USERS_AT_ONCE = 200;

/**
 * A list in pages: awaited, the first page; in `for await`, all of them, each when it is needed.
 *
 * @template T
 * @param {(cursor: string | null) => Promise<{data: T[], page?: {nextCursor: string | null}}>} read
 * @returns {Promise<T[]> & AsyncIterable<T>}
 */
function inPages(read) {
  const first = read(null);
  const list = first.then(({ data }) => data);
  list.catch(() => {}); // who iterates does not await the list, and gets the error there
  async function* all() {
    for (let current = await first; ; ) {
      yield* current.data;
      const next = current.page?.nextCursor;
      if (!next) return;
      current = await read(next);
    }
  }
  return Object.assign(list, { [Symbol.asyncIterator]: all });
}

/** @param {{[name: string]: string | number | null | undefined}} fields */
function query(fields) {
  const given = Object.entries(fields).flatMap(([name, value]) => (value == null ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** What a client asks over REST. */
export class Routes {
  /**
   * What the routes below are asked with; a client has its own.
   *
   * @param {string} path
   * @param {RestRequest} [request]
   * @returns {Promise<any>}
   */
  request(path, request) {
    throw new TypeError(`There is nobody to ask for ${request?.method ?? 'GET'} ${path}.`);
  }

  /**
   * Read any route: `get('/chats?limit=200')` answers the body.
   *
   * @param {string} path
   * @param {RequestOptions} [options]
   */
  get(path, options) { return this.request(path, { ...options }); }

  /**
   * The chats of the user, the last changed first. `await` gives the first page, `for await` each chat of all pages.
   *
   * @param {ChatsOptions} [options]
   * @returns {Promise<Chat[]> & AsyncIterable<Chat>}
   */
  chats({ limit, externalRef, signal } = {}) {
    return inPages((cursor) => this.get(`/chats${query({ limit, externalRef, cursor })}`, { signal }));
  }

  /**
   * One chat, with its participants.
   *
   * @param {number} chatId
   * @param {RequestOptions} [options]
   * @returns {Promise<Chat>}
   */
  async chat(chatId, options) { return (await this.get(`/chats/${chatId}`, options)).data; }

  /**
   * Create a chat. A direct chat, or one with an `externalRef`, that is there already is answered as it is.
   *
   * @param {CreateChat} chat
   * @param {RequestOptions} [options]
   * @returns {Promise<Chat>}
   */
  async createChat(chat, options) {
    const idempotent = chat.type === 'direct' || Boolean(chat.externalRef);
    return (await this.request('/chats', { ...options, method: 'POST', body: chat, idempotent })).data;
  }

  /**
   * Change title, reference or metadata of a chat; for its owners.
   *
   * @param {number} chatId
   * @param {UpdateChat} changes
   * @param {RequestOptions} [options]
   * @returns {Promise<Chat>}
   */
  async updateChat(chatId, changes, options) {
    return (await this.request(`/chats/${chatId}`, { ...options, method: 'PATCH', body: changes, idempotent: true })).data;
  }

  /**
   * Delete a chat for all its participants; for its owners.
   *
   * @param {number} chatId
   * @param {RequestOptions} [options]
   * @returns {Promise<void>}
   */
  async deleteChat(chatId, options) { await this.request(`/chats/${chatId}`, { ...options, method: 'DELETE' }); }

  /**
   * All participants of a chat, in the order in which they joined.
   *
   * @param {number} chatId
   * @param {RequestOptions} [options]
   * @returns {Promise<Participant[]>}
   */
  async participants(chatId, options) {
    const all = [];
    const pages = inPages((cursor) => this.get(`/chats/${chatId}/participants${query({ cursor: cursor ?? '0' })}`, options));
    for await (const participant of pages) all.push(participant);
    return all;
  }

  /**
   * Add users to a chat. Who is a participant already stays as they are.
   *
   * @param {number} chatId
   * @param {UserId[]} userIds
   * @param {RequestOptions & {role?: Role}} [options]
   * @returns {Promise<Participant[]>}
   */
  async addParticipants(chatId, userIds, { role = 'member', signal } = {}) {
    const body = { userIds, role };
    return (await this.request(`/chats/${chatId}/participants`, { method: 'POST', body, signal, idempotent: true })).data;
  }

  /**
   * Change the role of a participant.
   *
   * @param {number} chatId
   * @param {UserId} userId
   * @param {Role} role
   * @param {RequestOptions} [options]
   * @returns {Promise<Participant>}
   */
  async setRole(chatId, userId, role, options) {
    const path = `/chats/${chatId}/participants/${encodeURIComponent(userId)}`;
    return (await this.request(path, { ...options, method: 'PATCH', body: { role }, idempotent: true })).data;
  }

  /**
   * Remove a participant from a chat.
   *
   * @param {number} chatId
   * @param {UserId} userId
   * @param {RequestOptions} [options]
   * @returns {Promise<void>}
   */
  async removeParticipant(chatId, userId, options) {
    const path = `/chats/${chatId}/participants/${encodeURIComponent(userId)}`;
    await this.request(path, { ...options, method: 'DELETE' });
  }

  /**
   * Be no participant of a chat any longer. `leave` only stops following it.
   *
   * @param {number} chatId
   * @param {RequestOptions} [options]
   * @returns {Promise<void>}
   */
  async leaveForGood(chatId, options) { await this.request(`/chats/${chatId}/leave`, { ...options, method: 'POST' }); }

  /**
   * A page of the messages of a chat, oldest first; without options the latest.
   *
   * @param {number} chatId
   * @param {HistoryOptions} [options]
   * @returns {Promise<MessagesAnswer>}
   */
  history(chatId, { before, after, around, limit = 50, signal } = {}) {
    return this.get(`/chat-messages${query({ chatId, limit, before, after, around })}`, { signal });
  }

  /**
   * One message.
   *
   * @param {number} messageId
   * @param {RequestOptions} [options]
   * @returns {Promise<Message>}
   */
  async message(messageId, options) { return (await this.get(`/chat-messages/${messageId}`, options)).data; }

  /**
   * The earlier texts of an edited message, oldest first: the latest 50.
   *
   * @param {number} messageId
   * @param {RequestOptions} [options]
   * @returns {Promise<Revision[]>}
   */
  async revisions(messageId, options) { return (await this.get(`/chat-messages/${messageId}/history`, options)).data; }

  /**
   * The chats with unread messages, and the total.
   *
   * @param {RequestOptions} [options]
   * @returns {Promise<UnreadChats>}
   */
  async unread(options) { return (await this.get('/me/unread', options)).data; }

  /**
   * Move the read cursor of every chat with unread messages to its last message. Answers how many chats that were.
   *
   * @param {RequestOptions} [options]
   */
  async markAllRead(options) {
    const { chats } = await this.unread(options);
    for (const { chatId, lastMessage } of chats) {
      const last = lastMessage ?? (await this.chat(chatId, options)).lastMessage;
      const body = { messageId: last?.id };
      if (last) await this.request(`/chats/${chatId}/read`, { ...options, method: 'POST', body, idempotent: true });
    }
    return chats.length;
  }

  /**
   * How far each participant of a chat has read; empty in a chat of more than 100.
   *
   * @param {number} chatId
   * @param {RequestOptions} [options]
   * @returns {Promise<Read[]>}
   */
  async reads(chatId, options) { return (await this.get(`/chats/${chatId}/reads`, options)).data; }

  /**
   * Names and pictures of users; those whom the user may not see are left out.
   *
   * @param {UserId[]} userIds
   * @param {RequestOptions} [options]
   * @returns {Promise<Profile[]>}
   */
  async users(userIds, options) {
    const found = [];
    for (let ahead = [...userIds]; ahead.length > 0;) {
      const ids = ahead.slice(0, USERS_AT_ONCE).map(encodeURIComponent).join(',');
      const { data, page } = await this.get(`/users?ids=${ids}`, options);
      found.push(...data);
      const last = data.at(-1)?.id;
      const done = page?.hasMore && last !== undefined ? ahead.findIndex((id) => String(id) === String(last)) + 1 : USERS_AT_ONCE;
      ahead = ahead.slice(done || USERS_AT_ONCE);
    }
    return found;
  }
}
