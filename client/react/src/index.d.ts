/* React hooks for @chatgateway/client. */
import type {
  ChatClient, ChatError, ClientState, Presence, SendOptions, UserId,
} from '@chatgateway/client';
import type { ChatEntry, FollowedChat, TimelineMessage } from '@chatgateway/client/store';
import type { ReactNode } from 'react';

/** What `ChatProvider` takes. */
export interface ChatProviderProps {
  /** The same one in each render: make it outside of components, or keep it in a state. */
  client: ChatClient;
  /** Called for what fails and nobody awaits. */
  onError?: (error: ChatError) => void;
  children?: ReactNode;
}

/** A chat that is followed. */
export interface Messages extends Omit<FollowedChat, 'messages'> {
  /** At the end is what waits to be sent: it has a `delivery` and no id. */
  messages: readonly TimelineMessage[];
  /** Read the page before the oldest message that is loaded. */
  loadEarlier: () => Promise<void>;
}

/** A field for a message. */
export interface Composer {
  text: string;
  /** Keeps the draft, and tells the others that the user types. */
  setText: (text: string) => void;
  /** Sends it once, also after a reconnect or a reload. Returns the clientMessageId, or null for a blank text. */
  send: (options?: SendOptions) => string | null;
}

/** Gives the hooks below it one client, which connects while this is mounted. */
export function ChatProvider(props: ChatProviderProps): ReactNode;
/** The client, for everything that has no hook. */
export function useChatClient(): ChatClient;
/** The state of the connection. */
export function useConnection(): ClientState;
/** The chats, the last active first; null until they are read. */
export function useChats(): readonly ChatEntry[] | null;
/** The presence of a user; undefined while it is not known. */
export function usePresence(userId: UserId): Presence | undefined;
/** Follows a chat while the component is mounted. */
export function useMessages(chatId: number): Messages;
/** Keeps drafts and tells who types, for a field of a chat. */
export function useComposer(chatId: number): Composer;
