/** The client of ChatGateway, for browsers, workers and Node.
 * @packageDocumentation
 */

/** The event was handled. */
export declare interface Ack {
    success: true;
}

/** All that were named, whether new or not. */
export declare interface AddedParticipantsAnswer {
    success: true;
    data: Participant[];
}

/** `POST /chats/:id/participants`. */
export declare interface AddParticipants {
    /**
     * @minItems 1
     * @maxItems 1000
     */
    userIds: UserId[];
    role?: Role;
}

/** An error as a client receives it. `chatId` is only in a CONFLICT, `event` only in the pushed `error`. */
export declare interface ApiError {
    code: ErrorCode;
    message: string;
    retryable: boolean;
    requestId: string;
    retryAfter?: number;
    details?: Detail[];
    chatId?: number;
    event?: string;
}

/** With `token`, refresh the socket's identity; without it, ask who the socket is. `autoJoin` enters the rooms of all chats of the user at once. */
export declare interface Authenticate {
    token?: string | null;
    autoJoin?: boolean;
}

/** The socket's identity; `autoJoinedChats` only where that was asked for. */
export declare interface AuthenticateAck {
    success: true;
    message: string;
    userId: UserId;
    socketId: string;
    autoJoinedChats?: number[];
    data: Session;
}

/** IndexedDB where there is one, otherwise memory. Give one to the clients of one page that follow each other. */
export declare class BrowserStorage {
    #private;
    /**
     * `indexedDB` is a function, since the mere access may throw.
     *
     * @param {{indexedDB?: () => IDBFactory | undefined, clock?: Clock}} [parts]
     */
    constructor({ indexedDB, clock }?: {
        indexedDB?: () => IDBFactory | undefined;
        clock?: Clock;
    });
    /**
     * Keep a value, which can be cloned.
     *
     * @param {StorageKey} key
     * @param {unknown} value
     */
    put(key: StorageKey, value: unknown): Promise<void>;
    /**
     * Delete a value.
     *
     * @param {StorageKey} key
     */
    delete(key: StorageKey): Promise<void>;
    /**
     * The values of one kind of one account, in the order of their ids.
     *
     * @param {string} account
     * @param {string} kind
     * @returns {Promise<unknown[]>}
     */
    list(account: string, kind: string): Promise<unknown[]>;
    /**
     * Whether the value will outlive this page, as far as is known.
     *
     * @param {StorageKey} key
     */
    isKept(key: StorageKey): boolean;
}

/** `POST /chats/join` and `POST /admin/seats/refresh`. */
export declare interface ByExternalRef {
    externalRef: string;
}

/** A page of what changed in a chat after a cursor; `hasMore` = ask again with `toSeq`. `participants` (all of them) and `chat` are there when they changed. */
export declare interface CatchUp {
    chatId: number;
    fromSeq: number;
    toSeq: number;
    hasMore: boolean;
    reset: boolean;
    messages: Message[];
    participants?: Participant[];
    chat?: Chat;
}

export declare interface CatchUpAnswer {
    success: true;
    data: ChatCatchUp;
}

/** A chat as one of its participants sees it. `participants` is there in answers about one chat, in direct chats, and in `chatCreated`, which has the first 50 of them. */
export declare interface Chat {
    id: number;
    type: 'direct' | 'group';
    title: string | null;
    externalRef: string | null;
    metadata: {
        [k: string]: unknown;
    } | null;
    createdBy: UserId;
    createdAt: Timestamp;
    updatedAt: Timestamp;
    seq: number;
    participantCount: number;
    role: Role | null;
    unreadCount: number;
    lastReadMessageId: number | null;
    lastMessage: Message | null;
    participants?: Participant[];
}

export declare interface ChatAnswer {
    success: true;
    data: Chat;
}

/** The page of one chat, and the epoch. */
export declare interface ChatCatchUp {
    chatId: number;
    fromSeq: number;
    toSeq: number;
    hasMore: boolean;
    reset: boolean;
    messages: Message[];
    participants?: Participant[];
    chat?: Chat;
    epoch: string;
}

/**
 * A client of ChatGateway: it stays connected, follows chats and loses no message.
 *
 * @template {object} [PluginEvents={}] the events that plugins of the server push, with their payloads
 * @extends {ClientCore<PluginEvents>}
 */
export declare class ChatClient<PluginEvents extends object = {}> extends ClientCore<PluginEvents> {
    /**
     * It does nothing before `connect()`.
     *
     * @param {ChatClientOptions} options
     */
    constructor(options: ChatClientOptions);
}

/** What a client is made of; only `getToken` is required. */
export declare interface ChatClientOptions {
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

/** To every participant of a new chat. `chat` is as that participant sees it at that moment, with the first 50 of its participants. */
export declare interface ChatCreated {
    chat: Chat;
    chatId: number;
    seq: number;
    timestamp: Timestamp;
}

/** To the room: the chat is deleted. */
export declare interface ChatDeleted {
    chatId: number;
    seq: number;
    timestamp: Timestamp;
}

/** Decide by `code`, show `message`. `retryable` means: the same thing may succeed later, unchanged. */
export declare class ChatError extends Error {
    /** What happened: a code of the server, or of the client. @type {ErrorCode | ClientErrorCode} */
    code: ErrorCode | ClientErrorCode;
    /** Whether the same thing may succeed later, unchanged. */
    retryable: boolean;
    /** Seconds to wait before the next try, where the server knows. */
    retryAfter: number | undefined;
    /** With VALIDATION_ERROR and CONFLICT: what is wrong with which field. */
    details: Detail[] | undefined;
    /** With CONFLICT: the chat that there is already. */
    chatId: number | undefined;
    /** The server's log has the same id. */
    requestId: string | undefined;
    /**
     * Made of the server's error model, or of less.
     *
     * @param {ChatErrorFields} [fields]
     */
    constructor({ code, message, retryable, retryAfter, details, chatId, requestId, cause }?: ChatErrorFields);
    /**
     * The fields as a plain object, which can be stored and sent to another tab.
     *
     * @returns {ChatErrorFields}
     */
    toJSON(): ChatErrorFields;
}

/** What a ChatError is made of: the server's error model, or less of it. */
export declare interface ChatErrorFields {
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

/** All events: the pushes of the server, with those of its plugins, and the client's own. */
export declare type ChatEvents = Omit<ServerEvents, keyof OwnEvents> & OwnEvents;

export declare interface ChatReference {
    chatId: number;
}

/** In place of the page of a chat that the caller may not read. */
export declare interface ChatRefused {
    chatId: number;
    error: ApiError;
}

export declare interface ChatsAnswer {
    success: true;
    data: Chat[];
    page: CursorPage;
}

/** The part of a chat that is the same for every participant. */
export declare interface ChatSettings {
    title: string | null;
    externalRef: string | null;
    metadata: {
        [k: string]: unknown;
    } | null;
}

/** Which chats. */
export declare interface ChatsOptions extends RequestOptions {
    /** At most so many in a page; 50 without it, 200 at most. */
    limit?: number | undefined;
    /** Only the chat with this reference. */
    externalRef?: string | undefined;
}

/** To the participants of a chat: its settings changed. */
export declare interface ChatUpdated {
    chat: ChatSettings;
    chatId: number;
    seq: number;
    timestamp: Timestamp;
}

/**
 * A client that gets its `io` as an option.
 *
 * @template {object} [PluginEvents={}] the events that plugins of the server push, with their payloads
 */
declare class ClientCore<PluginEvents extends object = {}> extends Routes {
    #private;
    /**
     * The signed-in user, known from the first connect on.
     *
     * @type {(Partial<User> & {id: UserId}) | null}
     */
    user: (Partial<User> & {
        id: UserId;
    }) | null;
    /** @param {ChatClientOptions & {io: NonNullable<ChatClientOptions['io']>}} options */
    constructor({ getToken, io, url, path, userId, clock, storage, fetch, locks, openChannel, }: ChatClientOptions & {
        io: NonNullable<ChatClientOptions['io']>;
    });
    /** What the connection does. @returns {ClientState} */
    get state(): ClientState;
    /**
     * Listen to an event of the server, or to one of the client's own. Returns the function that stops it. A listener that
     * throws does not disturb the others.
     *
     * @template {keyof (ChatEvents & PluginEvents)} Name
     * @param {Name} event
     * @param {(data: (ChatEvents & PluginEvents)[Name]) => void} listener
     * @returns {() => void}
     */
    on<Name extends keyof (ChatEvents & PluginEvents)>(event: Name, listener: (data: (ChatEvents & PluginEvents)[Name]) => void): () => void;
    /** Connect, and stay connected until `disconnect()`. Called again it makes no second socket. */
    connect(): void;
    /** Close, also while it connects. What waits to be sent stays where it is kept. */
    disconnect(): void;
    /** Close the socket while the application is in the background. That is no error; what is written meanwhile waits. */
    pause(): void;
    /** Connect again after `pause()`, and get what the followed chats missed. Without a pause it does nothing. */
    resume(): void;
    /**
     * Follow a chat: join its room now and after every reconnect, and emit 'history' each time. With a `place` that
     * `placeOf` gave before, only what changed since is told. By its `externalRef`, the server makes the chat where the
     * token or the host gives the user a seat in it. Answers the chat's id.
     *
     * @param {number | ByExternalRef} chat
     * @param {Place | null} [place]
     * @returns {Promise<number>}
     */
    open(chat: number | ByExternalRef, place?: Place | null): Promise<number>;
    /**
     * Up to where a chat that is followed was told; null before its first history.
     *
     * @param {number} chatId
     */
    placeOf(chatId: number): Place | null;
    /**
     * Stop following a chat. The user stays its participant.
     *
     * @param {number} chatId
     */
    leave(chatId: number): Promise<void>;
    /**
     * Send now, or after the next reconnect, the next reload or in another tab. Answers the clientMessageId; 'outbox'
     * tells what becomes of it. Throws a ChatError, and emits it, when too much waits already.
     *
     * @param {number} chatId
     * @param {string} content
     * @param {SendOptions} [options]
     */
    send(chatId: number, content: string, { replyToId, metadata }?: SendOptions): string;
    /** Send a failed message again. @param {string} clientMessageId */
    retry(clientMessageId: string): void;
    /** Delete a message that is not sent. @param {string} clientMessageId */
    discard(clientMessageId: string): void;
    /** What waits to be sent, and what failed: what 'outbox' told last. */
    get outbox(): OutboxItem[];
    /** Whether closing the page now would lose what waits to be sent: it waits, and could not be stored. */
    get hasUnstored(): boolean;
    /**
     * What was begun in a chat and not sent. It is read at the start: 'drafts' tells when it is there.
     *
     * @param {number} chatId
     */
    draft(chatId: number): string;
    /**
     * Keep what was begun in a chat; an empty text deletes it.
     *
     * @param {number} chatId
     * @param {string} text
     */
    setDraft(chatId: number, text: string): void;
    /** Delete all that this user left in this browser: unsent messages and drafts. */
    forget(): void;
    /**
     * Change the text of a message. Edits and deletions are not queued: without a connection they are refused, and 'error'
     * tells that, too. With `expectedRevision` an edit of somebody else in between is a refusal.
     *
     * @param {number} messageId
     * @param {string} content
     * @param {RequestOptions & {expectedRevision?: number | undefined}} [options]
     * @returns {Promise<Message>} as it is stored then
     */
    edit(messageId: number, content: string, { expectedRevision, signal }?: RequestOptions & {
        expectedRevision?: number | undefined;
    }): Promise<Message>;
    /**
     * Turn a message into a tombstone.
     *
     * @param {number} messageId
     * @param {RequestOptions} [options]
     * @returns {Promise<Message>} the tombstone
     */
    delete(messageId: number, { signal }?: RequestOptions): Promise<Message>;
    /**
     * Who is online, in the order asked.
     *
     * @param {UserId[]} userIds
     * @param {RequestOptions} [options]
     * @returns {Promise<Presence[]>}
     */
    presence(userIds: UserId[], { signal }?: RequestOptions): Promise<Presence[]>;
    /**
     * Move the read cursor. It only moves forward, so an older id costs nothing.
     *
     * @param {number} chatId
     * @param {number} messageId
     */
    markRead(chatId: number, messageId: number): Promise<void>;
    /**
     * Call it for each keystroke: it tells the others at most every two seconds, and stops by itself.
     *
     * @param {number} chatId
     */
    typing(chatId: number): void;
    /**
     * Tell the others that the user writes no longer.
     *
     * @param {number} chatId
     */
    stopTyping(chatId: number): void;
    /**
     * Ask any route, such as one of a plugin, with the token: `request('/polls', {method: 'POST', body})` answers the body
     * of the answer. A GET is tried again while the failure may pass; another method only with `idempotent`.
     *
     * @override
     * @param {string} path
     * @param {RestRequest} [request]
     */
    request(path: string, request?: RestRequest): Promise<any>;
}

/** The codes that only a client can meet. */
export declare type ClientErrorCode =
| 'DISCONNECTED' | 'UNREACHABLE' | 'AUTH_UNAVAILABLE' | 'TIMEOUT' | 'OUTBOX_FULL' | 'TOO_OLD';

/** The events that a client may emit, with their payloads and the acks of a success. */
export declare interface ClientEvents {
    /** Ask who the socket is, or give it a new token of the same user. */
    authenticate: { payload: Authenticate; ack: AuthenticateAck };
    /** Enter a chat's room, to receive its pushes, and catch up with it. */
    joinChat: { payload: JoinChat; ack: JoinChatAck };
    /** Leave a chat's room with this socket; the user stays a participant. */
    leaveChat: { payload: ChatReference; ack: LeaveChatAck };
    /** Send a message. */
    sendMessage: { payload: SendMessage; ack: SendMessageAck };
    /** Replace the text of the caller's own message. */
    editMessage: { payload: EditMessage; ack: MessageAck };
    /** Turn a message into a tombstone. */
    deleteMessage: { payload: MessageReference; ack: MessageAck };
    /** Tell the others that the user types, or has stopped. */
    typing: { payload: Typing; ack: Ack };
    /** Move the caller's read cursor forward to a message. */
    markAsRead: { payload: MarkAsRead; ack: MarkAsReadAck };
    /** Ask which users are online. */
    getPresence: { payload: GetPresence; ack: GetPresenceAck };
    /** Catch up with several chats at once, or list all of the caller's chats. */
    sync: { payload: Sync; ack: SyncAck };
    /** Ask for the server's time. */
    ping: { payload: null; ack: PingPong };
}

/**
 * The state of the connection: `connecting` since `connect()`, `online` when the server has said who the user is,
 * `reconnecting` after a failure, `closed` before and after, and when the server has refused the token.
 */
export declare type ClientState = 'connecting' | 'online' | 'reconnecting' | 'paused' | 'closed';

/** Where unsent messages and drafts are kept. Nothing of it rejects. */
export declare interface ClientStorage {
    /** Keep a value, which can be cloned. */
    put(key: StorageKey, value: unknown): Promise<void>;
    /** Delete a value. */
    delete(key: StorageKey): Promise<void>;
    /** The values of one kind of one account, in the order of their ids. */
    list(account: string, kind: string): Promise<unknown[]>;
    /** Whether the value will outlive this page, as far as is known. */
    isKept(key: StorageKey): boolean;
}

/** A clock that a test can replace. */
export declare interface Clock {
    /** Milliseconds since 1970. */
    now(): number;
    /** As the global function. */
    setTimeout(run: () => void, ms: number): unknown;
    /** As the global function. */
    clearTimeout(timer: any): void;
}

/** `POST /chats`. A direct chat has exactly one other participant and no title. */
export declare interface CreateChat {
    type?: 'direct' | 'group';
    title?: string | null;
    /**
     * @maxItems 10000
     */
    participantIds?: UserId[];
    externalRef?: string | null;
    metadata?: {
        [k: string]: unknown;
    } | null;
}

/** `POST /chat-messages`: the fields of the event. The header Idempotency-Key may stand for clientMessageId. */
export declare interface CreateMessage {
    chatId: number;
    content: string;
    clientMessageId?: string | null;
    replyToId?: number | null;
    metadata?: {
        [k: string]: unknown;
    } | null;
}

/** The `cursor` that asks for the next page; null: this was the last one. */
export declare interface CursorPage {
    nextCursor: string | null;
}

export declare interface DeletedChat {
    chatId: number;
}

export declare interface DeletedChatAnswer {
    success: true;
    data: DeletedChat;
}

/** The demo chat, and the users to begin with. */
export declare interface DemoInfo {
    chatId: number;
    users: DemoUser[];
}

export declare interface DemoInfoAnswer {
    success: true;
    data: DemoInfo;
}

/** `POST /demo/token`, in demo mode only. */
export declare interface DemoName {
    name: string;
}

/** A token, whose it is, and the chat that its user is in. */
export declare interface DemoToken {
    token: string;
    expiresAt: Timestamp;
    user: DemoUser;
    chatId: number;
}

export declare interface DemoTokenAnswer {
    success: true;
    data: DemoToken;
}

/** A user of the demo chat. */
export declare interface DemoUser {
    id: UserId;
    name: string;
}

/** The fault of one field. */
export declare interface Detail {
    path: string;
    message: string;
}

export declare interface EditMessage {
    messageId: number;
    content: string;
    expectedRevision?: number | null;
}

/** Every code that a client can meet; docs/errors.md has a section for each. */
export declare type ErrorCode =
| (
| 'VALIDATION_ERROR'
| 'UNKNOWN_EVENT'
| 'UNAUTHENTICATED'
| 'TOKEN_INVALID'
| 'TOKEN_EXPIRED'
| 'TOKEN_REVOKED'
| 'AUTH_UNAVAILABLE'
| 'USER_BLOCKED'
| 'FORBIDDEN'
| 'NOT_PARTICIPANT'
| 'NOT_FOUND'
| 'METHOD_NOT_ALLOWED'
| 'MESSAGE_DELETED'
| 'CONFLICT'
| 'IDEMPOTENCY_CONFLICT'
| 'EDIT_CONFLICT'
| 'EDIT_WINDOW_CLOSED'
| 'PAYLOAD_TOO_LARGE'
| 'UNSUPPORTED_MEDIA'
| 'RATE_LIMITED'
| 'REJECTED'
| 'PLUGIN_ERROR'
| 'STORAGE_UNAVAILABLE'
| 'SHUTTING_DOWN'
| 'TIMEOUT'
| 'INTERNAL_ERROR'
)
| (string & {});

/** To a socket whose event was refused and had asked for no ack. */
export declare interface ErrorPush {
    code: ErrorCode;
    message: string;
    retryable: boolean;
    requestId: string;
    retryAfter?: number;
    details?: Detail[];
    chatId?: number;
    event?: string;
}

/** The part of `fetch` that the client uses. */
export declare type Fetch = (url: string, options: RequestInit) => Promise<Response>;

export declare interface GetPresence {
    /**
     * @maxItems 200
     */
    userIds: UserId[];
}

/** In the order asked. */
export declare interface GetPresenceAck {
    success: true;
    data: Presence[];
}

/** The process answers. */
export declare interface HealthLive {
    status: 'live';
}

/** Whether the server can take traffic, and the state of each part. */
export declare interface HealthReadiness {
    status: 'ready' | 'unavailable';
    parts: {
        [k: string]: string;
    };
}

/** The messages of a chat: the latest page, or what changed while the client was away. */
declare interface History_2 {
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
export { History_2 as History }

export declare interface HistoryAnswer {
    success: true;
    data: Revision[];
    page: HistoryPage;
}

/** Which page of the messages of a chat. Give at most one of `before`, `after`, `around`. */
export declare interface HistoryOptions extends RequestOptions {
    /** The page before this message. */
    before?: number | undefined;
    /** The page after this message. */
    after?: number | undefined;
    /** The page around this message, with it. */
    around?: number | undefined;
    /** At most so many messages; 50 without it, 200 at most. */
    limit?: number | undefined;
}

/** Whether there are earlier texts, and the `before` that asks for them. */
export declare interface HistoryPage {
    hasBefore: boolean;
    oldestRevision: number | null;
}

/** A hook of a plugin: whether it is switched off after failures, or for so many users. */
export declare interface Hook {
    hook: string;
    failures: number;
    off: boolean;
    usersOff: number;
}

/** `io` of socket.io-client. */
export declare type Io = (url: string, options: any) => any;

/** Join a chat; with the client's cursor, `since` and `epoch`, the ack holds what it missed. By its id, or by its externalRef, which makes the chat where the host gives the user a seat. */
export declare interface JoinChat {
    chatId?: number | null;
    externalRef?: string | null;
    since?: number | null;
    epoch?: string | null;
    limit?: number;
}

export declare interface JoinChatAck {
    success: true;
    message: string;
    data: JoinedChat;
}

/** A chat as a socket finds it that joins; `role` is null for an admin outside of it. */
export declare interface JoinedChat {
    chatId: number;
    epoch: string;
    seq: number;
    role: Role | null;
    lastReadMessageId: number | null;
    unreadCount: number;
    typing: UserId[];
    reads: Read[];
    present: UserId[];
    sync: CatchUp;
}

export declare interface LeaveChatAck {
    success: true;
    message: string;
}

/** The limits of this server that a client should know. */
export declare interface Limits {
    maxContentChars: number;
    maxPayloadBytes: number;
    maxRoomsPerSocket: number;
    maxParticipants: number;
}

export declare interface MarkAsRead {
    chatId: number;
    messageId: number;
}

export declare interface MarkAsReadAck {
    success: true;
    data: ReadCursor;
}

/** `POST /chats/:id/read`. */
export declare interface MarkRead {
    messageId: number;
}

/** A message. A client sends `content` and receives `message`. A deleted message keeps its place, with an empty text. `system` is there where `type` is `system`: the server wrote it. */
export declare interface Message {
    id: number;
    chatId: number;
    seq: number;
    updatedSeq: number;
    revision: number;
    senderId: UserId;
    senderType: string;
    type: string;
    message: string;
    clientMessageId: string | null;
    replyToId: number | null;
    replyTo: ReplyPreview | null;
    metadata: {
        [k: string]: unknown;
    } | null;
    createdAt: Timestamp;
    updatedAt: Timestamp;
    editedAt: Timestamp | null;
    deletedAt: Timestamp | null;
    deletedBy: UserId | null;
    system?: System;
}

export declare interface MessageAck {
    success: true;
    data: Message;
}

export declare interface MessageAnswer {
    success: true;
    data: Message;
}

/** To the room: a message became a tombstone. */
export declare interface MessageDeleted {
    messageId: number;
    chatId: number;
    seq: number;
    timestamp: Timestamp;
}

/** To the others in the room: a read cursor moved. */
export declare interface MessageRead {
    chatId: number;
    messageId: number;
    userId: UserId;
    timestamp: Timestamp;
}

export declare interface MessageReference {
    messageId: number;
}

export declare interface MessagesAnswer {
    success: true;
    data: Message[];
    page: MessagesPage;
}

/** Whether there are more messages, and the number of the chat's last change. */
export declare interface MessagesPage {
    hasBefore: boolean;
    hasAfter: boolean;
    oldestId: number | null;
    newestId: number | null;
    seq: number;
}

/** To the room: a message was edited. */
export declare interface MessageUpdated {
    message: Message;
    chatId: number;
    seq: number;
    timestamp: Timestamp;
}

/** Whether the answer ended before the ids that were asked for. */
export declare interface MorePage {
    hasMore: boolean;
}

/** To the room: the server stored a message. */
export declare interface NewMessage {
    message: Message;
    chatId: number;
    seq: number;
    timestamp: Timestamp;
}

/** The notices that wait for a plugin. */
export declare interface Notices {
    waiting: number;
    oldestAgeS: number;
    dropped: number;
}

/** A message that the server has not stored yet. */
export declare interface OutboxItem {
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

/** The events of the client itself. */
export declare interface OwnEvents {
    /** The connection, or the reason why there is none, changed. */
    state: StateChange;
    /** The messages of a chat that is followed. */
    history: History_2;
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

/** A user in a chat. */
export declare interface Participant {
    userId: UserId;
    role: Role;
    name: string | null;
    avatarUrl: string | null;
    joinedAt: Timestamp;
    lastReadMessageId: number | null;
}

/** To the room, and to the user who was added. */
export declare interface ParticipantAdded {
    chatId: number;
    participant: Participant;
    participantCount: number;
    seq: number;
    timestamp: Timestamp;
}

export declare interface ParticipantAnswer {
    success: true;
    data: Participant;
}

export declare interface ParticipantReference {
    chatId: number;
    participantId: UserId;
}

export declare interface ParticipantReferenceAnswer {
    success: true;
    data: ParticipantReference;
}

/** To the room: a participant was removed, or has left the chat. */
export declare interface ParticipantRemoved {
    chatId: number;
    participantId: UserId;
    participantCount: number;
    seq: number;
    timestamp: Timestamp;
}

export declare interface ParticipantsAnswer {
    success: true;
    data: Participant[];
    page: CursorPage;
}

/** To the room: a participant's role changed. */
export declare interface ParticipantUpdated {
    chatId: number;
    participant: Participant;
    participantCount: number;
    seq: number;
    timestamp: Timestamp;
}

/** The time of the server, in milliseconds since 1970. */
export declare interface PingPong {
    pong: number;
}

/** Up to where a chat is known. */
export declare interface Place {
    /** The number of the last change that is known. */
    cursor: number;
    /** The life of the database that the number is of. */
    epoch: string | null;
}

/** A plugin, its hooks and its queue. */
declare interface Plugin_2 {
    name: string;
    hooks: Hook[];
    notices: Notices;
}
export { Plugin_2 as Plugin }

export declare interface PluginsAnswer {
    success: true;
    data: Plugin_2[];
}

/** Whether a user is online, and when their last socket closed. */
export declare interface Presence {
    userId: UserId;
    status: 'online' | 'offline';
    lastSeenAt: Timestamp | null;
}

/** To the users who share a chat with a user: that user came online, or went offline. */
export declare interface PresenceChanged {
    userId: UserId;
    status: 'online' | 'offline';
    lastSeenAt: Timestamp | null;
    timestamp: Timestamp;
}

/** The part of a user that others see. */
export declare interface Profile {
    id: UserId;
    name: string | null;
    avatarUrl: string | null;
}

/** How far a participant has read. */
export declare interface Read {
    userId: UserId;
    lastReadMessageId: number | null;
}

/** How far the caller has read a chat. */
export declare interface ReadCursor {
    chatId: number;
    lastReadMessageId: number | null;
    unreadCount: number;
}

export declare interface ReadsAnswer {
    success: true;
    data: Read[];
}

/** The ack of an event, or the answer to a request, that was refused. */
export declare interface Refusal {
    success: false;
    message: string;
    error: ApiError;
}

/** To a user who is no longer in a chat. */
export declare interface RemovedFromChat {
    chatId: number;
    reason: 'removed' | 'left' | 'deleted' | 'expired';
}

/** The beginning of the message that another one answers. */
export declare interface ReplyPreview {
    id: number;
    senderId: UserId;
    message: string;
}

/** What every request takes. */
export declare interface RequestOptions {
    /** Ends the waiting: the promise rejects with the signal's reason. */
    signal?: AbortSignal | undefined;
}

/** What a request takes that is no method of the client. */
export declare interface RestRequest extends RequestOptions {
    /** `GET` without it. Another one is not tried again after a failure, since it may have had its effect. */
    method?: string;
    /** Sent as JSON. */
    body?: unknown;
    /** Repeat it as a GET: what it does is the same however often it is done. */
    idempotent?: boolean;
}

/** An earlier text of a message; `timestamp` is when it was written. */
export declare interface Revision {
    revision: number;
    message: string;
    timestamp: Timestamp;
}

/** What a participant may do in a chat, from most to least. */
export declare type Role = 'owner' | 'moderator' | 'member' | 'readonly';

/** What a client asks over REST. */
declare class Routes {
    /**
     * What the routes below are asked with; a client has its own.
     *
     * @param {string} path
     * @param {RestRequest} [request]
     * @returns {Promise<any>}
     */
    request(path: string, request?: RestRequest): Promise<any>;
    /**
     * Read any route: `get('/chats?limit=200')` answers the body.
     *
     * @param {string} path
     * @param {RequestOptions} [options]
     */
    get(path: string, options?: RequestOptions): Promise<any>;
    /**
     * The chats of the user, the last changed first. `await` gives the first page, `for await` each chat of all pages.
     *
     * @param {ChatsOptions} [options]
     * @returns {Promise<Chat[]> & AsyncIterable<Chat>}
     */
    chats({ limit, externalRef, signal }?: ChatsOptions): Promise<Chat[]> & AsyncIterable<Chat>;
    /**
     * One chat, with its participants.
     *
     * @param {number} chatId
     * @param {RequestOptions} [options]
     * @returns {Promise<Chat>}
     */
    chat(chatId: number, options?: RequestOptions): Promise<Chat>;
    /**
     * Create a chat. A direct chat, or one with an `externalRef`, that is there already is answered as it is.
     *
     * @param {CreateChat} chat
     * @param {RequestOptions} [options]
     * @returns {Promise<Chat>}
     */
    createChat(chat: CreateChat, options?: RequestOptions): Promise<Chat>;
    /**
     * Change title, reference or metadata of a chat; for its owners.
     *
     * @param {number} chatId
     * @param {UpdateChat} changes
     * @param {RequestOptions} [options]
     * @returns {Promise<Chat>}
     */
    updateChat(chatId: number, changes: UpdateChat, options?: RequestOptions): Promise<Chat>;
    /**
     * Delete a chat for all its participants; for its owners.
     *
     * @param {number} chatId
     * @param {RequestOptions} [options]
     * @returns {Promise<void>}
     */
    deleteChat(chatId: number, options?: RequestOptions): Promise<void>;
    /**
     * All participants of a chat, in the order in which they joined.
     *
     * @param {number} chatId
     * @param {RequestOptions} [options]
     * @returns {Promise<Participant[]>}
     */
    participants(chatId: number, options?: RequestOptions): Promise<Participant[]>;
    /**
     * Add users to a chat. Who is a participant already stays as they are.
     *
     * @param {number} chatId
     * @param {UserId[]} userIds
     * @param {RequestOptions & {role?: Role}} [options]
     * @returns {Promise<Participant[]>}
     */
    addParticipants(chatId: number, userIds: UserId[], { role, signal }?: RequestOptions & {
        role?: Role;
    }): Promise<Participant[]>;
    /**
     * Change the role of a participant.
     *
     * @param {number} chatId
     * @param {UserId} userId
     * @param {Role} role
     * @param {RequestOptions} [options]
     * @returns {Promise<Participant>}
     */
    setRole(chatId: number, userId: UserId, role: Role, options?: RequestOptions): Promise<Participant>;
    /**
     * Remove a participant from a chat.
     *
     * @param {number} chatId
     * @param {UserId} userId
     * @param {RequestOptions} [options]
     * @returns {Promise<void>}
     */
    removeParticipant(chatId: number, userId: UserId, options?: RequestOptions): Promise<void>;
    /**
     * Be no participant of a chat any longer. `leave` only stops following it.
     *
     * @param {number} chatId
     * @param {RequestOptions} [options]
     * @returns {Promise<void>}
     */
    leaveForGood(chatId: number, options?: RequestOptions): Promise<void>;
    /**
     * A page of the messages of a chat, oldest first; without options the latest.
     *
     * @param {number} chatId
     * @param {HistoryOptions} [options]
     * @returns {Promise<MessagesAnswer>}
     */
    history(chatId: number, { before, after, around, limit, signal }?: HistoryOptions): Promise<MessagesAnswer>;
    /**
     * One message.
     *
     * @param {number} messageId
     * @param {RequestOptions} [options]
     * @returns {Promise<Message>}
     */
    message(messageId: number, options?: RequestOptions): Promise<Message>;
    /**
     * The earlier texts of an edited message, oldest first: the latest 50.
     *
     * @param {number} messageId
     * @param {RequestOptions} [options]
     * @returns {Promise<Revision[]>}
     */
    revisions(messageId: number, options?: RequestOptions): Promise<Revision[]>;
    /**
     * The chats with unread messages, and the total.
     *
     * @param {RequestOptions} [options]
     * @returns {Promise<UnreadChats>}
     */
    unread(options?: RequestOptions): Promise<UnreadChats>;
    /**
     * Move the read cursor of every chat with unread messages to its last message. Answers how many chats that were.
     *
     * @param {RequestOptions} [options]
     */
    markAllRead(options?: RequestOptions): Promise<number>;
    /**
     * How far each participant of a chat has read; empty in a chat of more than 100.
     *
     * @param {number} chatId
     * @param {RequestOptions} [options]
     * @returns {Promise<Read[]>}
     */
    reads(chatId: number, options?: RequestOptions): Promise<Read[]>;
    /**
     * Names and pictures of users; those whom the user may not see are left out.
     *
     * @param {UserId[]} userIds
     * @param {RequestOptions} [options]
     * @returns {Promise<Profile[]>}
     */
    users(userIds: UserId[], options?: RequestOptions): Promise<Profile[]>;
}

/** How many seats the host was asked about again, and how many of them ended. */
export declare interface SeatsRefreshed {
    asked: number;
    ended: number;
}

export declare interface SeatsRefreshedAnswer {
    success: true;
    data: SeatsRefreshed;
}

export declare interface SendMessage {
    chatId: number;
    content: string;
    clientMessageId?: string | null;
    replyToId?: number | null;
    metadata?: {
        [k: string]: unknown;
    } | null;
}

/** The stored message; `duplicate`: it had been stored before, and was not pushed now. */
export declare interface SendMessageAck {
    success: true;
    data: Message;
    duplicate: boolean;
}

/** What `send` takes besides the text. */
export declare interface SendOptions {
    /** The message that this one answers. */
    replyToId?: number | undefined;
    /** Data of the application, a JSON object. */
    metadata?: { [name: string]: unknown } | undefined;
}

/** `duplicate`: this clientMessageId had been stored before. */
export declare interface SentMessageAnswer {
    success: true;
    data: Message;
    duplicate: boolean;
}

/** The pushes of the server, with their payloads. */
export declare interface ServerEvents {
    /** To the room: the server stored a message. */
    newMessage: NewMessage;
    /** To the room: a message was edited. */
    messageUpdated: MessageUpdated;
    /** To the room: a message became a tombstone. */
    messageDeleted: MessageDeleted;
    /** To the others in the room: a user types, or has stopped. */
    userTyping: UserTyping;
    /** To the others in the room: a read cursor moved. */
    messageRead: MessageRead;
    /** To the others in the room: a user's first socket entered it. */
    userJoined: UserJoined;
    /** To the others in the room: a user's last socket left it. */
    userLeft: UserLeft;
    /** To a user who has read, and to those outside the room when a message is sent. */
    unreadUpdated: UnreadUpdated;
    /** To the users who share a chat with a user: that user came online, or went offline. */
    presenceChanged: PresenceChanged;
    /** To a user, and to all who share a chat with them: their name or picture changed. */
    userUpdated: UserUpdated;
    /** To a socket whose token has `expiresIn` seconds left: send `authenticate` with a new one. */
    tokenExpiring: TokenExpiring;
    /** To a socket, as its last push before the server closes the transport. */
    sessionExpired: SessionExpired;
    /** To every participant of a new chat. `chat` is as that participant sees it at that moment, with the first 50 of its participants. */
    chatCreated: ChatCreated;
    /** To the participants of a chat: its settings changed. */
    chatUpdated: ChatUpdated;
    /** To the room: the chat is deleted. */
    chatDeleted: ChatDeleted;
    /** To the room, and to the user who was added. */
    participantAdded: ParticipantAdded;
    /** To the room: a participant's role changed. */
    participantUpdated: ParticipantUpdated;
    /** To the room: a participant was removed, or has left the chat. */
    participantRemoved: ParticipantRemoved;
    /** To a user who is no longer in a chat. */
    removedFromChat: RemovedFromChat;
    /** To every socket: the server is about to restart. */
    serverShutdown: ServerShutdown;
    /** To a socket whose event was refused and had asked for no ack. */
    error: ErrorPush;
}

/** To every socket: the server is about to restart. */
export declare interface ServerShutdown {
    retryAfter: number;
}

/** The identity of the socket, and what this server can do. */
export declare interface Session {
    protocol: number;
    features: string[];
    server: string;
    user: User;
    expiresAt: Timestamp;
    serverTime: Timestamp;
    epoch: string;
    limits: Limits;
}

/** To a socket, as its last push before the server closes the transport. */
export declare interface SessionExpired {
    code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | 'USER_BLOCKED';
    message: string;
}

/** A user, and how many of their sockets were ended. */
export declare interface SocketsEnded {
    userId: UserId;
    disconnected: number;
}

export declare interface SocketsEndedAnswer {
    success: true;
    data: SocketsEnded;
}

/** A change of the state, or of the reason for it. */
export declare interface StateChange {
    /** The state from now on. */
    state: ClientState;
    /** Why it is not online: no token, no network, or the server asked for patience. */
    reason: 'token' | 'network' | 'server' | null;
    /** The error behind `reason`. */
    cause: ChatError | null;
    /** The refusal that closed it. */
    error: ChatError | null;
}

/** The state of the server at this moment. */
export declare interface Stats {
    users: number;
    sockets: number;
    journal: 'ok' | 'in doubt';
    epoch: string;
    logLinesLost: number;
}

export declare interface StatsAnswer {
    success: true;
    data: Stats;
}

/** The key of what is kept: the account, the kind, the id. */
export declare type StorageKey = [account: string, kind: string, id: string | number];

/** Catch up with several chats; without `chats`, get the overview of all the caller's chats. */
export declare interface Sync {
    epoch?: string | null;
    chats?: SyncChat[] | null;
    limit?: number;
}

export declare interface SyncAck {
    success: true;
    data: Synced;
}

export declare interface SyncChat {
    chatId: number;
    since?: number | null;
}

/** Pages of the chats that were asked for; a list of all chats where none were. */
export declare interface Synced {
    epoch: string;
    serverTime: Timestamp;
    chats: (CatchUp | ChatRefused | Chat)[];
}

/** The content of a message of type `system`; `role` and `title` where these were changed. */
export declare interface System {
    kind:
    | (
    | 'participantsAdded'
    | 'participantRemoved'
    | 'participantLeft'
    | 'roleChanged'
    | 'titleChanged'
    )
    | (string & {});
    by: UserId;
    userIds: UserId[];
    role?: Role;
    title?: string | null;
}

/** A moment in UTC, with milliseconds. */
export declare type Timestamp = string;

/** To a socket whose token has `expiresIn` seconds left: send `authenticate` with a new one. */
export declare interface TokenExpiring {
    expiresAt: Timestamp;
    expiresIn: number;
}

/** What `getToken` gets. */
export declare interface TokenWanted {
    /** The last token has expired, is about to, or was refused. */
    fresh: boolean;
}

export declare interface Typing {
    chatId: number;
    isTyping: boolean;
}

/** The unread messages of one participant in a chat. */
export declare interface Unread {
    chatId: number;
    unreadCount: number;
    lastReadMessageId: number | null;
    lastMessage: Message | null;
}

export declare interface UnreadAnswer {
    success: true;
    data: UnreadChats;
}

/** The chats that have unread messages, and how many these are together. */
export declare interface UnreadChats {
    total: number;
    chats: Unread[];
}

/** To a user who has read, and to those outside the room when a message is sent. */
export declare interface UnreadUpdated {
    chatId: number;
    unreadCount: number;
    lastReadMessageId: number | null;
    lastMessage: Message | null;
    seq: number;
    timestamp: Timestamp;
}

/** `PATCH /chats/:id`; an absent field stays as it is, null clears it. */
export declare interface UpdateChat {
    title?: string | null;
    externalRef?: string | null;
    metadata?: {
        [k: string]: unknown;
    } | null;
}

/** `PATCH` and `PUT /chat-messages/:id`. */
export declare interface UpdateMessage {
    content: string;
    expectedRevision?: number | null;
}

/** `PATCH /chats/:id/participants/:userId`. */
export declare interface UpdateParticipant {
    role: Role;
}

/** The caller, as their token says; `tenant` is there if it names one. */
export declare interface User {
    id: UserId;
    role: string | null;
    type: string;
    department: string | null;
    permissions: string[];
    name: string | null;
    avatarUrl: string | null;
    tenant?: string;
}

export declare interface UserAnswer {
    success: true;
    data: Profile;
}

/** The host application's id of a user; a text of digits is the integer. */
export declare type UserId = number | string;

/** To the others in the room: a user's first socket entered it. */
export declare interface UserJoined {
    chatId: number;
    userId: UserId;
    timestamp: Timestamp;
}

/** To the others in the room: a user's last socket left it. */
export declare interface UserLeft {
    chatId: number;
    userId: UserId;
    timestamp: Timestamp;
}

/** `PUT /users/:id`. */
export declare interface UserProfile {
    name?: string | null;
    avatarUrl?: string | null;
}

export declare interface UsersAnswer {
    success: true;
    data: Profile[];
    page: MorePage;
}

/** To the others in the room: a user types, or has stopped. */
export declare interface UserTyping {
    chatId: number;
    userId: UserId;
    isTyping: boolean;
    timestamp: Timestamp;
}

/** To a user, and to all who share a chat with them: their name or picture changed. */
export declare interface UserUpdated {
    user: Profile;
    timestamp: Timestamp;
}

export { }
