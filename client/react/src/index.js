/**
 * React hooks for `@chatgateway/client`. `ChatProvider` has the client; the hooks draw a component again only when
 * what it shows has changed.
 */
import { ChatStore } from '@chatgateway/client/store';
import { createContext, createElement, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

const Chat = createContext(null);
const NOT_READ_YET = Object.freeze({ chat: null, loading: true, failed: null, gone: null, hasBefore: false, people: [], typing: new Map(), reads: new Map() });

/**
 * Gives the hooks below it one client. It connects while it is mounted.
 *
 * @param {{client: import('@chatgateway/client').ChatClient, onError?: (error: Error) => void, children?: unknown}} props
 *   `client` has to be the same one in each render: make it outside of components, or keep it in a state.
 */
export function ChatProvider({ client, onError, children }) {
  const [chat, setChat] = useState(null);
  useEffect(() => {
    const store = new ChatStore(client, onError && { onError });
    setChat({ client, store });
    client.connect();
    return () => {
      store.stop();
      client.disconnect();
    };
  }, [client]);
  return chat?.client === client ? createElement(Chat.Provider, { value: chat }, children) : null;
}

function useChat() {
  const chat = useContext(Chat);
  if (!chat) throw new Error('This component is outside of <ChatProvider>.');
  return chat;
}

/** What `select(store)` gives, and again when that is another object. */
function useStore(select) {
  const { store } = useChat();
  const get = () => select(store);
  return useSyncExternalStore(store.subscribe, get, get);
}

/** The client, for everything that has no hook. */
export const useChatClient = () => useChat().client;

/** 'connecting' | 'online' | 'reconnecting' | 'paused' | 'closed' */
export const useConnection = () => useStore((store) => store.getSnapshot().connection);

/** The chats, the last active first, with `unreadCount` and `lastMessage`; null until they are read. */
export const useChats = () => useStore((store) => store.getSnapshot().chats);

/** The presence of a user: {status, lastSeenAt}, or undefined while it is not known. */
export const usePresence = (userId) => useStore((store) => store.getSnapshot().presence.get(userId));

/**
 * Follows a chat: {messages, chat, loading, failed, gone, hasBefore, people, typing, reads, loadEarlier}. What waits to
 * be sent is at the end of `messages`: it has a `delivery` ('pending' or 'failed') and no id.
 */
export function useMessages(chatId) {
  const { store } = useChat();
  useEffect(() => store.follow(chatId), [store, chatId]);
  const view = useStore(() => store.getChat(chatId)) ?? NOT_READ_YET;
  const messages = useStore(() => store.getTimeline(chatId));
  return useMemo(() => ({ ...view, messages, loadEarlier: () => store.loadEarlier(chatId) }), [view, messages, store, chatId]);
}

/**
 * A field for a message: {text, setText, send}. `setText` keeps the draft and tells the others that the user types;
 * `send` sends it once, also after a reconnect or a reload, and returns the clientMessageId, or null for a blank text.
 */
export function useComposer(chatId) {
  const { client } = useChat();
  const [text, setOwnText] = useState(() => client.draft(chatId));
  useEffect(() => {
    setOwnText(client.draft(chatId));
    const stop = client.on('drafts', () => setOwnText(client.draft(chatId)));
    return () => {
      stop();
      client.stopTyping(chatId);
    };
  }, [client, chatId]);
  return {
    text,
    setText: (next) => {
      setOwnText(next);
      client.setDraft(chatId, next);
      if (next) client.typing(chatId);
      else client.stopTyping(chatId);
    },
    send: (options) => {
      if (!text.trim()) return null;
      const id = client.send(chatId, text, options);
      setOwnText('');
      client.setDraft(chatId, '');
      return id;
    },
  };
}
