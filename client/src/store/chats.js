/** Pure functions over the list of chats, the last active first. What does not change stays the same object. */
import { asTombstone, later } from './messages.js';

const MOST_UNREAD = 100; // the server counts no further

/** The moment of the last message or of the last change to the settings, as the server sorts. */
export function activityOf({ lastMessage, updatedAt }) {
  return lastMessage && lastMessage.createdAt > updatedAt ? lastMessage.createdAt : updatedAt;
}

function byActivity(a, b) {
  const [ofA, ofB] = [activityOf(a), activityOf(b)];
  if (ofA !== ofB) return ofA < ofB ? 1 : -1;
  return b.id - a.id;
}

/** A chat of the server's as the list keeps it: of its people only the other one of a direct chat. */
export function asEntry({ participants, ...chat }, userId) {
  const peer = chat.type === 'direct' ? participants?.find((each) => each.userId !== userId) : null;
  return { ...chat, peerId: peer?.userId ?? null };
}

/** The chat with what a push told about it. */
export function patched(chat, patch) {
  const next = { ...chat, ...patch, lastMessage: later(chat.lastMessage, patch.lastMessage) };
  return Object.keys(next).every((key) => next[key] === chat[key]) ? chat : next;
}

/** The chat after a message: it counts as unread unless it is one's own, a line, or was counted before. */
export function withMessage(chat, message, userId) {
  const isNew = message.id > (chat.lastMessage?.id ?? 0) && !message.editedAt && !message.deletedAt && !message.system;
  const { unreadCount } = chat;
  if (!isNew) return patched(chat, { lastMessage: message });
  return patched(chat, { lastMessage: message, unreadCount: message.senderId === userId ? 0 : Math.min(unreadCount + 1, MOST_UNREAD) });
}

export function withDeletion(chat, data) {
  const last = chat.lastMessage;
  return last?.id === data.messageId ? patched(chat, { lastMessage: asTombstone(last, data) }) : chat;
}

/** What the server says now, in place of what was known; the other one of a direct chat never changes. */
export function renewed(known, told) {
  if (!known) return told;
  const next = { ...told, peerId: told.peerId ?? known.peerId };
  return JSON.stringify(next) === JSON.stringify(known) ? known : next;
}

/** The same where pushes have told of the chat while the answer was under way: each says something newer. */
export function overtaken(known, told) {
  const { role, unreadCount, lastReadMessageId, title, metadata, updatedAt } = known;
  const settings = updatedAt > told.updatedAt ? { title, metadata, updatedAt } : {};
  return renewed(known, { ...told, role, unreadCount, lastReadMessageId, ...settings, lastMessage: later(told.lastMessage, known.lastMessage) });
}

/** Adds the chat or puts it in the place of its former state, and both where its activity belongs. */
export function put(list, chat) {
  const known = list.find(({ id }) => id === chat.id);
  if (known === chat) return list;
  if (known && byActivity(known, chat) === 0) return list.map((each) => (each === known ? chat : each));
  const others = known ? list.filter((each) => each !== known) : list;
  const at = others.findIndex((each) => byActivity(chat, each) < 0);
  return at < 0 ? [...others, chat] : [...others.slice(0, at), chat, ...others.slice(at)];
}

/** The same for many at once. */
export function putAll(list, chats) {
  const byId = new Map(list.map((chat) => [chat.id, chat]));
  const news = chats.filter((chat) => byId.get(chat.id) !== chat);
  if (news.length === 0) return list;
  for (const chat of news) byId.set(chat.id, chat);
  return [...byId.values()].sort(byActivity);
}

export function without(list, isGone) {
  const kept = list.filter((chat) => !isGone(chat));
  return kept.length === list.length ? list : kept;
}
