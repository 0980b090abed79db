/* The store: what a client knows, for a user interface. */
import type {
  Chat, ChatClient, ChatError, ClientState, Message, OutboxItem, Participant, Presence, Profile, RemovedFromChat, UserId,
} from './index.js';

/** A chat of the list: of its people only the other one of a direct chat. */
export type ChatEntry = Omit<Chat, 'participants'> & { peerId: UserId | null };

/** A message, or one that waits to be sent: that has no id yet, and a `delivery`. */
export type TimelineMessage =
  | (Message & { delivery?: undefined })
  | (OutboxItem & { id: null; senderId: UserId; message: string; delivery: OutboxItem['status'] });

/** What is known of a chat that is followed. */
export interface FollowedChat {
  chat: ChatEntry | null;
  loading: boolean;
  /** Why it could not be loaded. */
  failed: ChatError | null;
  /** Why the user is no longer in it. */
  gone: RemovedFromChat['reason'] | null;
  messages: readonly Message[];
  hasBefore: boolean;
  people: readonly Participant[];
  typing: ReadonlyMap<UserId, true>;
  reads: ReadonlyMap<UserId, number | null>;
}

/** All that the store knows. */
export interface Snapshot {
  connection: ClientState;
  wasOnline: boolean;
  user: Profile | null;
  outbox: readonly OutboxItem[];
  /** The last active first; null until the first page is read. */
  chats: readonly ChatEntry[] | null;
  users: ReadonlyMap<UserId, Profile>;
  presence: ReadonlyMap<UserId, Presence>;
  followed: ReadonlyMap<number, FollowedChat>;
}

/** A store for user interfaces. What it gives never changes: a change makes a new object. */
export class ChatStore {
  constructor(client: ChatClient, options?: { onError?: (error: ChatError) => void });
  /** `listener()` is called after changes. Returns the function that ends it. */
  subscribe: (listener: () => void) => () => void;
  /** All of it: the same object while nothing changes. */
  getSnapshot: () => Snapshot;
  /** A chat that is followed; otherwise undefined. */
  getChat(chatId: number): FollowedChat | undefined;
  /** The messages of a chat, and after them what waits to be sent. */
  getTimeline(chatId: number): readonly TimelineMessage[];
  /** Follow a chat until the function that this returns is called. */
  follow(chatId: number): () => void;
  /** Ask again for a chat that could not be loaded. */
  retry(chatId: number): void;
  /** Read the page before the oldest message that is loaded. */
  loadEarlier(chatId: number): Promise<void>;
  edit(messageId: number, content: string): Promise<void>;
  delete(messageId: number): Promise<void>;
  /** Ends all that goes on by itself; the client may live on. */
  stop(): void;
}
