// The hooks in real React, in strict mode, between a whole client and a server that is told what to say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JSDOM } from 'jsdom';

import { aClient, joined } from '../../tests/support/client.mjs';
import { good, settle } from '../../tests/support/fakes.mjs';

const { window } = new JSDOM('<div id="app"></div>');
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
globalThis.navigator ??= window.navigator; // Node 20 has none
const { createElement: h, StrictMode, act } = await import('react');
const { createRoot } = await import('react-dom/client');
const { ChatProvider, useChats, useComposer, useConnection, useMessages, usePresence } = await import('../src/index.js');

const at = (minute) => `2025-10-09T12:${String(minute).padStart(2, '0')}:00.000Z`;
const message = (id, chatId, more = {}) => ({
  id, chatId, seq: id, updatedSeq: id, senderId: 2, message: `m${id}`, createdAt: at(id), editedAt: null, deletedAt: null, replyTo: null, ...more,
});
const chat = (id) => ({ id, type: 'group', title: `Chat ${id}`, updatedAt: at(id), role: 'member', unreadCount: 0, lastMessage: null });

const renders = { chats: 0, messages: 0 };

function Chats() {
  const chats = useChats();
  const connection = useConnection();
  renders.chats += 1;
  return h('nav', null, `${connection}: ${(chats ?? []).map(({ title, unreadCount }) => `${title} (${unreadCount})`).join(', ')}`);
}

function Messages({ chatId }) {
  const { messages, loading } = useMessages(chatId);
  renders.messages += 1;
  return h('main', null, loading ? 'loading' : messages.map(({ message: text, delivery = 'sent' }) => `${text} ${delivery}`).join(', '));
}

let composer;
function Composer({ chatId }) {
  composer = useComposer(chatId);
  const presence = usePresence(2);
  return h('footer', null, `${composer.text}|${presence?.status}`);
}

const textOf = (selector) => document.querySelector(selector)?.textContent;
const soon = () => act(settle);

async function mounted(chatId = 1) {
  const all = aClient({
    fetch: async (url) => (String(url).includes('/chat-messages')
      ? good([message(1, Number(/chatId=(\d+)/.exec(url)[1]))], { page: { hasBefore: false, seq: 1 } })
      : good([chat(2), chat(1)], { page: { nextCursor: null } })),
  });
  const answer = (event, { chatId: id } = {}) => {
    if (event !== 'joinChat') return null;
    const ack = joined(id, { chatId: id, messages: [], fromSeq: 0, toSeq: 1, hasMore: false, reset: false });
    return { ...ack, data: { ...ack.data, role: 'member', unreadCount: 0, lastReadMessageId: null } };
  };
  all.server.answer = answer;
  const root = createRoot(document.getElementById('app'));
  const show = (id) => act(() => root.render(
    h(StrictMode, null, h(ChatProvider, { client: all.client }, h(Chats), h(Messages, { chatId: id }), h(Composer, { chatId: id }))),
  ));
  await show(chatId);
  await soon();
  const unmount = () => act(() => root.unmount());
  return { ...all, answer, show, unmount };
}

test('strict mode: one connection, the chats, the messages', async () => {
  const { server, unmount } = await mounted();
  assert.equal(server.open.length, 1);
  assert.equal(textOf('nav'), 'online: Chat 2 (0), Chat 1 (0)');
  assert.equal(textOf('main'), 'm1 sent');
  await unmount();
  assert.equal(server.open.length, 0);
});

test('a presence or a push of another chat draws the messages of this one not again', async () => {
  const { server, unmount } = await mounted();
  const before = renders.messages;
  await act(() => server.last.push('unreadUpdated', { chatId: 2, unreadCount: 4, lastReadMessageId: null, lastMessage: message(9, 2), seq: 9 }));
  await act(async () => {
    server.last.push('presenceChanged', { userId: 2, status: 'online', lastSeenAt: null });
    await new Promise((resolve) => { setTimeout(resolve, 60); });
  });
  assert.equal(textOf('nav'), 'online: Chat 2 (4), Chat 1 (0)');
  assert.equal(textOf('footer'), '|online');
  assert.equal(renders.messages, before);
  await unmount();
});

test('what is written is shown as pending at once, and once when it is stored', async () => {
  const { server, answer, unmount } = await mounted();
  let store;
  server.answer = (event, payload) => (event === 'sendMessage' ? new Promise((resolve) => {
    store = () => resolve({ success: true, data: message(2, 1, { senderId: 1, clientMessageId: payload.clientMessageId, message: payload.content }) });
  }) : answer(event, payload));
  await act(() => composer.setText('hello'));
  assert.equal(textOf('footer').split('|')[0], 'hello');
  await act(() => composer.send());
  assert.equal(textOf('main'), 'm1 sent, hello pending');
  assert.equal(composer.text, '');
  assert.equal(composer.send(), null);
  store();
  await soon();
  assert.equal(textOf('main'), 'm1 sent, hello sent');
  await unmount();
});

test('another chat leaves the room of the one before, and has its own draft', async () => {
  const { server, show, unmount } = await mounted();
  await act(() => composer.setText('for one'));
  await show(2);
  await soon();
  assert.equal(composer.text, '');
  assert.deepEqual(server.payloads('leaveChat'), [{ chatId: 1 }]);
  await show(1);
  await soon();
  assert.equal(composer.text, 'for one');
  assert.equal(textOf('main'), 'm1 sent');
  await unmount();
});

test('what waits when the provider is unmounted is sent once after it is mounted again', async () => {
  const { client, server, answer, unmount } = await mounted();
  server.answer = (event, payload) => (event === 'sendMessage' ? 'lost' : answer(event, payload));
  await act(() => composer.setText('wait'));
  await act(() => composer.send());
  await unmount();
  server.answer = answer;
  client.connect();
  await settle();
  const sent = server.payloads('sendMessage').map(({ clientMessageId }) => clientMessageId);
  assert.equal(new Set(sent).size, 1);
  assert.equal(client.outbox.length, 0);
  client.disconnect();
});
