/* What an application gives to the client and gets from it. The shapes of the server are in wire.d.ts. */
import type { ChatError } from './errors.js';
import type {
  ApiError, Chat, ErrorCode, JoinedChat, Message, Participant, ServerEvents, UserId,
} from './wire.js';

/** The codes that only a client can meet. */
export type ClientErrorCode =
  | 'DISCONNECTED' | 'UNREACHABLE' | 'AUTH_UNAVAILABLE' | 'TIMEOUT' | 'OUTBOX_FULL' | 'TOO_OLD';

/** What a ChatError is made of: the server's error model, or less of it. */
export interface ChatErrorFields {
  /** One of the server's codes, or of the client's own. */
  code?: ErrorCode | ClientErrorCode;
  /** For the user. */
  message?: string | undefined;
  /** The same thing may succeed later, unchanged. */
  retryable?: boolean | undefined;
  /** Seconds to wait before the next try. */
  retryAfter?: number | undefined;
  /** With VALIDATION_ERROR and CONFLICT: what is wrong with which field. */
  details?: ApiError['details'] | undefined;
  /** With CONFLICT: the chat that there is already. */
  chatId?: number | undefined;
  /** The server's log has the same id. */
  requestId?: string | undefined;
  /** What it comes from. */
  cause?: unknown;
}

/** What `getToken` gets. */
export interface TokenWanted {
  /** The last token has expired, is about to, or was refused. */
  fresh: boolean;
}

/** A clock that a test can replace. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** As the global function. */
  setTimeout(run: () => void, ms: number): unknown;
  /** As the global function. */
  clearTimeout(timer: any): void;
}

/** The key of what is kept: the account, the kind, the id. */
export type StorageKey = [account: string, kind: string, id: string | number];

/** Where unsent messages and drafts are kept. Nothing of it rejects. */
export interface ClientStorage {
  /** Keep a value, which can be cloned. */
  put(key: StorageKey, value: unknown): Promise<void>;
  /** Delete a value. */
  delete(key: StorageKey): Promise<void>;
  /** The values of one kind of one account, in the order of their ids. */
  list(account: string, kind: string): Promise<unknown[]>;
  /** Whether the value will outlive this page, as far as is known. */
  isKept(key: StorageKey): boolean;
}

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** `io` of socket.io-client. */
export type Io = (url: string, options: any) => any;

/** What a client is made of; only `getToken` is required. */
export interface ChatClientOptions {
  /**
   * The token: asked before every connect and every REST request. It may fail or hang: the client asks again, with
   * growing pauses.
   */
  getToken: (wanted: TokenWanted) => string | Promise<string>;
  /** Where the server is, with the path it is under; without it, the host of the page. */
  url?: string | undefined;
  /** The path of Socket.IO; without it, `socket.io/` under that of `url`. */
  path?: string | undefined;
  /** The user, where it is known before the first connect: then unsent messages and drafts are there at once. */
  userId?: UserId | null | undefined;
  /** Without it, that of the installed socket.io-client. */
  io?: Io;
  /** Without it, IndexedDB, or memory where there is none. */
  storage?: ClientStorage;
  /** Without it, the global one. */
  fetch?: Fetch;
  /** Without it, `navigator.locks`. A function, since the mere access may throw. */
  locks?: () => LockManager | undefined;
  /** Without it, a BroadcastChannel. */
  openChannel?: (name: string) => BroadcastChannel;
  /** Without it, the system's. */
  clock?: Clock;
}

/**
 * The state of the connection: `connecting` since `connect()`, `online` when the server has said who the user is,
 * `reconnecting` after a failure, `closed` before and after, and when the server has refused the token.
 */
export type ClientState = 'connecting' | 'online' | 'reconnecting' | 'paused' | 'closed';

/** A change of the state, or of the reason for it. */
export interface StateChange {
  /** The state from now on. */
  state: ClientState;
  /** Why it is not online: no token, no network, or the server asked for patience. */
  reason: 'token' | 'network' | 'server' | null;
  /** The error behind `reason`. */
  cause: ChatError | null;
  /** The refusal that closed it. */
  error: ChatError | null;
}

/** Up to where a chat is known. */
export interface Place {
  /** The number of the last change that is known. */
  cursor: number;
  /** The life of the database that the number is of. */
  epoch: string | null;
}

/** The messages of a chat: the latest page, or what changed while the client was away. */
export interface History {
  /** The chat. */
  chatId: number;
  /** New, edited and deleted messages, oldest first. Keep the one with the higher `updatedSeq`. */
  messages: Message[];
  /** Drop what you have of the chat: this is its latest page. */
  reset: boolean;
  /** With `reset`: there are earlier messages. */
  hasBefore?: boolean;
  /** All participants, where they changed. */
  participants?: Participant[] | undefined;
  /** The chat, where it changed. */
  chat?: Chat | undefined;
  /** The answer of joinChat, with the first history after it. */
  joined: JoinedChat | null;
}

/** A message that the server has not stored yet. */
export interface OutboxItem {
  /** Its name, through all tries. */
  clientMessageId: string;
  /** The chat it is for. */
  chatId: number;
  /** The text. */
  content: string;
  /** The message that it answers. */
  replyToId?: number | undefined;
  /** As given to `send`. */
  metadata?: { [name: string]: unknown } | undefined;
  /** `failed`: it is not sent again unless `retry` is called. */
  status: 'pending' | 'failed';
  /** Why it failed. */
  error: ChatErrorFields | null;
  /** When it was written. */
  createdAt: string;
  /** When it was written, or retried, in milliseconds. */
  queuedAt: number;
  /** Its place in the outbox. */
  order: number;
}

/** What `send` takes besides the text. */
export interface SendOptions {
  /** The message that this one answers. */
  replyToId?: number | undefined;
  /** Data of the application, a JSON object. */
  metadata?: { [name: string]: unknown } | undefined;
}

/** What every request takes. */
export interface RequestOptions {
  /** Ends the waiting: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Which page of the messages of a chat. Give at most one of `before`, `after`, `around`. */
export interface HistoryOptions extends RequestOptions {
  /** The page before this message. */
  before?: number | undefined;
  /** The page after this message. */
  after?: number | undefined;
  /** The page around this message, with it. */
  around?: number | undefined;
  /** At most so many messages; 50 without it, 200 at most. */
  limit?: number | undefined;
}

/** Which chats. */
export interface ChatsOptions extends RequestOptions {
  /** At most so many in a page; 50 without it, 200 at most. */
  limit?: number | undefined;
  /** Only the chat with this reference. */
  externalRef?: string | undefined;
}

/** What a request takes that is no method of the client. */
export interface RestRequest extends RequestOptions {
  /** `GET` without it. Another one is not tried again after a failure, since it may have had its effect. */
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Repeat it as a GET: what it does is the same however often it is done. */
  idempotent?: boolean;
}

/** The events of the client itself. */
export interface OwnEvents {
  /** The connection, or the reason why there is none, changed. */
  state: StateChange;
  /** The messages of a chat that is followed. */
  history: History;
  /** The server says that the chat is not the user's, or is gone; the client follows it no longer. */
  roomLost: { chatId: number; error: ChatError };
  /** Nothing of the chat could be read yet; if `error.retryable`, the client tries again. */
  roomFailed: { chatId: number; error: ChatError };
  /** The messages that are pending or failed, oldest first. */
  outbox: OutboxItem[];
  /** A message was stored; in every tab of the user. */
  sent: Message;
  /** The drafts have been read. */
  drafts: undefined;
  /** Something failed that nobody asked for, or that should be shown wherever it was asked for. */
  error: ChatError;
}

/** All events: the pushes of the server, with those of its plugins, and the client's own. */
export type ChatEvents = Omit<ServerEvents, keyof OwnEvents> & OwnEvents;
