/** The client of ChatGateway, for browsers, workers and Node.
 * @packageDocumentation
 */

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

export declare interface CatchUpModel {
    chatId: number;
    fromSeq: number;
    toSeq: number;
    hasMore: boolean;
    reset: boolean;
    messages: MessageModel[];
    participants?: ParticipantModel[];
    chat?: ChatModel;
}

/** What may be changed of a chat: an absent field stays, null clears it. */
export declare type ChatChanges = Pick<NewChat, 'title' | 'externalRef' | 'metadata'>;

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

export declare interface ChatCreated { chat: ChatModel; chatId: number; seq: number; timestamp: string }

export declare interface ChatDeleted { chatId: number; seq: number; timestamp: string }

/** Decide by `code`, show `message`. `retryable` means: the same thing may succeed later, unchanged. */
export declare class ChatError extends Error {
    /** What happened: a code of the server, or of the client. @type {ErrorCode | ClientErrorCode} */
    code: ErrorCode | ClientErrorCode;
    /** Whether the same thing may succeed later, unchanged. */
    retryable: boolean;
    /** Seconds to wait before the next try, where the server knows. */
    retryAfter: number | undefined;
    /** With VALIDATION_ERROR and CONFLICT: what is wrong with which field. */
    details: {
        path: string;
        message: string;
    }[] | undefined;
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
    details?: ErrorModel['details'] | undefined;
    /** With CONFLICT: the chat that there is already. */
    chatId?: number | undefined;
    /** The server's log has the same id. */
    requestId?: string | undefined;
    /** What it comes from. */
    cause?: unknown;
}

/** All events: the pushes of the server, with those of its plugins, and the client's own. */
export declare type ChatEvents = Omit<ServerEvents, keyof OwnEvents> & OwnEvents;

/** A chat as one of its participants sees it. */
export declare interface ChatModel {
    id: number;
    type: 'direct' | 'group';
    title: string | null;
    externalRef: string | null;
    metadata: { [name: string]: unknown } | null;
    createdBy: number | string;
    createdAt: string;
    updatedAt: string;
    seq: number;
    participantCount: number;
    role: 'owner' | 'moderator' | 'member' | 'readonly' | null;
    unreadCount: number;
    lastReadMessageId: number | null;
    lastMessage: MessageModel | null;
    participants?: ParticipantModel[];
}

export declare interface ChatRefusedModel { chatId: number; error: ErrorModel }

export declare interface ChatSettingsModel {
    title: string | null;
    externalRef: string | null;
    metadata: { [name: string]: unknown } | null;
}

/** Which chats. */
export declare interface ChatsOptions extends RequestOptions {
    /** At most so many in a page; 50 without it, 200 at most. */
    limit?: number | undefined;
    /** Only the chat with this reference. */
    externalRef?: string | undefined;
}

export declare interface ChatUpdated { chat: ChatSettingsModel; chatId: number; seq: number; timestamp: string }

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
     * @type {(Partial<UserModel> & {id: UserId}) | null}
     */
    user: (Partial<UserModel> & {
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
     * `placeOf` gave before, only what changed since is told.
     *
     * @param {number} chatId
     * @param {Place | null} [place]
     */
    open(chatId: number, place?: Place | null): Promise<void>;
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
    /**
     * Send a failed message again.
     *
     * @param {string} clientMessageId
     */
    retry(clientMessageId: string): void;
    /**
     * Delete a message that is not sent.
     *
     * @param {string} clientMessageId
     */
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
     * @returns {Promise<MessageModel>} as it is stored then
     */
    edit(messageId: number, content: string, { expectedRevision, signal }?: RequestOptions & {
        expectedRevision?: number | undefined;
    }): Promise<MessageModel>;
    /**
     * Turn a message into a tombstone.
     *
     * @param {number} messageId
     * @param {RequestOptions} [options]
     * @returns {Promise<MessageModel>} the tombstone
     */
    delete(messageId: number, { signal }?: RequestOptions): Promise<MessageModel>;
    /**
     * Who is online, in the order asked.
     *
     * @param {UserId[]} userIds
     * @param {RequestOptions} [options]
     * @returns {Promise<PresenceModel[]>}
     */
    presence(userIds: UserId[], { signal }?: RequestOptions): Promise<PresenceModel[]>;
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

export declare type ErrorCode =
| 'VALIDATION_ERROR' | 'UNKNOWN_EVENT' | 'UNAUTHENTICATED' | 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'TOKEN_REVOKED'
| 'AUTH_UNAVAILABLE' | 'USER_BLOCKED' | 'FORBIDDEN' | 'NOT_PARTICIPANT' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED'
| 'MESSAGE_DELETED' | 'CONFLICT' | 'IDEMPOTENCY_CONFLICT' | 'EDIT_CONFLICT' | 'EDIT_WINDOW_CLOSED'
| 'PAYLOAD_TOO_LARGE' | 'UNSUPPORTED_MEDIA' | 'RATE_LIMITED' | 'REJECTED' | 'PLUGIN_ERROR' | 'STORAGE_UNAVAILABLE'
| 'SHUTTING_DOWN' | 'TIMEOUT' | 'INTERNAL_ERROR';

export declare interface ErrorModel {
    code: ErrorCode;
    message: string;
    retryable: boolean;
    retryAfter?: number;
    details?: { path: string; message: string }[];
    chatId?: number;
    requestId: string;
    event?: string;
}

/** The part of `fetch` that the client uses. */
export declare type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** The messages of a chat: the latest page, or what changed while the client was away. */
declare interface History_2 {
    /** The chat. */
    chatId: number;
    /** New, edited and deleted messages, oldest first. Keep the one with the higher `updatedSeq`. */
    messages: MessageModel[];
    /** Drop what you have of the chat: this is its latest page. */
    reset: boolean;
    /** With `reset`: there are earlier messages. */
    hasBefore?: boolean;
    /** All participants, where they changed. */
    participants?: ParticipantModel[] | undefined;
    /** The chat, where it changed. */
    chat?: ChatModel | undefined;
    /** The answer of joinChat, with the first history after it. */
    joined: JoinedChatModel | null;
}
export { History_2 as History }

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

/** A page of the messages of a chat. */
export declare interface HistoryPage {
    /** The messages, oldest first. */
    data: MessageModel[];
    /** Where the page is. */
    page: {
        hasBefore: boolean;
        hasAfter: boolean;
        oldestId: number | null;
        newestId: number | null;
        /** The number of the chat's last change. */
        seq: number;
    };
}

/** `io` of socket.io-client. */
export declare type Io = (url: string, options: any) => any;

export declare interface JoinedChatModel {
    chatId: number;
    epoch: string;
    seq: number;
    role: 'owner' | 'moderator' | 'member' | 'readonly' | null;
    lastReadMessageId: number | null;
    unreadCount: number;
    typing: (number | string)[];
    reads: ReadModel[];
    present: (number | string)[];
    sync: CatchUpModel;
}

export declare interface MessageDeleted { messageId: number; chatId: number; seq: number; timestamp: string }

/** A message. A client sends `content` and receives `message`. */
export declare interface MessageModel {
    id: number;
    chatId: number;
    seq: number;
    updatedSeq: number;
    revision: number;
    senderId: number | string;
    senderType: string;
    type: string;
    message: string;
    clientMessageId: string | null;
    replyToId: number | null;
    replyTo: ReplyPreviewModel | null;
    metadata: { [name: string]: unknown } | null;
    createdAt: string;
    updatedAt: string;
    editedAt: string | null;
    deletedAt: string | null;
    deletedBy: number | string | null;
    system?: SystemModel;
}

export declare interface MessageRead { chatId: number; messageId: number; userId: number | string; timestamp: string }

export declare interface MessageUpdated extends NewMessage {}

/** A new chat. */
export declare interface NewChat {
    /** `group` without it. A direct chat has one other participant and no title. */
    type?: 'direct' | 'group';
    /** Up to 200 characters. */
    title?: string | null;
    /** The others. */
    participantIds?: UserId[];
    /** The object of the application that the chat belongs to; only for tokens that may set it. */
    externalRef?: string | null;
    /** Data of the application, a JSON object. */
    metadata?: { [name: string]: unknown } | null;
}

export declare interface NewMessage { message: MessageModel; chatId: number; seq: number; timestamp: string }

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
    sent: MessageModel;
    /** The drafts have been read. */
    drafts: undefined;
    /** Something failed that nobody asked for, or that should be shown wherever it was asked for. */
    error: ChatError;
}

export declare interface ParticipantAdded {
    chatId: number;
    participant: ParticipantModel;
    participantCount: number;
    seq: number;
    timestamp: string;
}

export declare interface ParticipantModel {
    userId: number | string;
    role: 'owner' | 'moderator' | 'member' | 'readonly';
    name: string | null;
    avatarUrl: string | null;
    joinedAt: string;
    lastReadMessageId: number | null;
}

export declare interface ParticipantRemoved {
    chatId: number;
    participantId: number | string;
    participantCount: number;
    seq: number;
    timestamp: string;
}

export declare interface ParticipantUpdated extends ParticipantAdded {}

/** Up to where a chat is known. */
export declare interface Place {
    /** The number of the last change that is known. */
    cursor: number;
    /** The life of the database that the number is of. */
    epoch: string | null;
}

export declare interface PresenceChanged extends PresenceModel { timestamp: string }

export declare interface PresenceModel { userId: number | string; status: 'online' | 'offline'; lastSeenAt: string | null }

export declare interface ProfileModel { id: number | string; name: string | null; avatarUrl: string | null }

export declare interface ReadCursorModel { chatId: number; lastReadMessageId: number | null; unreadCount: number }

export declare interface ReadModel { userId: number | string; lastReadMessageId: number | null }

export declare interface RemovedFromChat { chatId: number; reason: 'removed' | 'left' | 'deleted' | 'expired' }

export declare interface ReplyPreviewModel { id: number; senderId: number | string; message: string }

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

export declare interface RevisionModel { revision: number; message: string; timestamp: string }

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
     * @returns {Promise<ChatModel[]> & AsyncIterable<ChatModel>}
     */
    chats({ limit, externalRef, signal }?: ChatsOptions): Promise<ChatModel[]> & AsyncIterable<ChatModel>;
    /**
     * One chat, with its participants.
     *
     * @param {number} chatId
     * @param {RequestOptions} [options]
     * @returns {Promise<ChatModel>}
     */
    chat(chatId: number, options?: RequestOptions): Promise<ChatModel>;
    /**
     * Create a chat. A direct chat, or one with an `externalRef`, that is there already is answered as it is.
     *
     * @param {NewChat} chat
     * @param {RequestOptions} [options]
     * @returns {Promise<ChatModel>}
     */
    createChat(chat: NewChat, options?: RequestOptions): Promise<ChatModel>;
    /**
     * Change title, reference or metadata of a chat; for its owners.
     *
     * @param {number} chatId
     * @param {ChatChanges} changes
     * @param {RequestOptions} [options]
     * @returns {Promise<ChatModel>}
     */
    updateChat(chatId: number, changes: ChatChanges, options?: RequestOptions): Promise<ChatModel>;
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
     * @returns {Promise<ParticipantModel[]>}
     */
    participants(chatId: number, options?: RequestOptions): Promise<ParticipantModel[]>;
    /**
     * Add users to a chat. Who is a participant already stays as they are.
     *
     * @param {number} chatId
     * @param {UserId[]} userIds
     * @param {RequestOptions & {role?: ParticipantModel['role']}} [options]
     * @returns {Promise<ParticipantModel[]>}
     */
    addParticipants(chatId: number, userIds: UserId[], { role, signal }?: RequestOptions & {
        role?: ParticipantModel['role'];
    }): Promise<ParticipantModel[]>;
    /**
     * Change the role of a participant.
     *
     * @param {number} chatId
     * @param {UserId} userId
     * @param {ParticipantModel['role']} role
     * @param {RequestOptions} [options]
     * @returns {Promise<ParticipantModel>}
     */
    setRole(chatId: number, userId: UserId, role: ParticipantModel['role'], options?: RequestOptions): Promise<ParticipantModel>;
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
     * @returns {Promise<HistoryPage>}
     */
    history(chatId: number, { before, after, around, limit, signal }?: HistoryOptions): Promise<HistoryPage>;
    /**
     * One message.
     *
     * @param {number} messageId
     * @param {RequestOptions} [options]
     * @returns {Promise<MessageModel>}
     */
    message(messageId: number, options?: RequestOptions): Promise<MessageModel>;
    /**
     * The earlier texts of an edited message, oldest first: the latest 50.
     *
     * @param {number} messageId
     * @param {RequestOptions} [options]
     * @returns {Promise<RevisionModel[]>}
     */
    revisions(messageId: number, options?: RequestOptions): Promise<RevisionModel[]>;
    /**
     * The chats with unread messages, and the total.
     *
     * @param {RequestOptions} [options]
     * @returns {Promise<UnreadChatsModel>}
     */
    unread(options?: RequestOptions): Promise<UnreadChatsModel>;
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
     * @returns {Promise<ReadModel[]>}
     */
    reads(chatId: number, options?: RequestOptions): Promise<ReadModel[]>;
    /**
     * Names and pictures of users; those whom the user may not see are left out.
     *
     * @param {UserId[]} userIds
     * @param {RequestOptions} [options]
     * @returns {Promise<ProfileModel[]>}
     */
    users(userIds: UserId[], options?: RequestOptions): Promise<ProfileModel[]>;
}

/** What `send` takes besides the text. */
export declare interface SendOptions {
    /** The message that this one answers. */
    replyToId?: number | undefined;
    /** Data of the application, a JSON object. */
    metadata?: { [name: string]: unknown } | undefined;
}

/** The pushes of the server, by the name of the event. */
export declare interface ServerEvents {
    newMessage: NewMessage;
    messageUpdated: MessageUpdated;
    messageDeleted: MessageDeleted;
    userTyping: UserTyping;
    messageRead: MessageRead;
    userJoined: UserJoined;
    userLeft: UserLeft;
    unreadUpdated: UnreadUpdated;
    presenceChanged: PresenceChanged;
    userUpdated: UserUpdated;
    tokenExpiring: TokenExpiring;
    sessionExpired: SessionExpired;
    chatCreated: ChatCreated;
    chatUpdated: ChatUpdated;
    chatDeleted: ChatDeleted;
    participantAdded: ParticipantAdded;
    participantUpdated: ParticipantUpdated;
    participantRemoved: ParticipantRemoved;
    removedFromChat: RemovedFromChat;
    serverShutdown: ServerShutdown;
    error: ErrorModel;
}

export declare interface ServerShutdown { retryAfter: number }

export declare interface SessionExpired { code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | 'USER_BLOCKED'; message: string }

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

/** The key of what is kept: the account, the kind, the id. */
export declare type StorageKey = [account: string, kind: string, id: string | number];

export declare interface SyncModel {
    epoch: string;
    serverTime: string;
    chats: (CatchUpModel | ChatRefusedModel | ChatModel)[];
}

/** What a message of type `system` says: the server wrote it. */
export declare interface SystemModel {
    kind: string;
    by: number | string;
    userIds: (number | string)[];
    role?: 'owner' | 'moderator' | 'member' | 'readonly';
    title?: string | null;
}

export declare interface TokenExpiring { expiresAt: string; expiresIn: number }

/** What `getToken` gets. */
export declare interface TokenWanted {
    /** The last token has expired, is about to, or was refused. */
    fresh: boolean;
}

export declare interface UnreadChatsModel { total: number; chats: UnreadModel[] }

export declare interface UnreadModel {
    chatId: number;
    unreadCount: number;
    lastReadMessageId: number | null;
    lastMessage: MessageModel | null;
}

export declare interface UnreadUpdated extends UnreadModel { seq: number; timestamp: string }

/** A user id, as the token has it. */
export declare type UserId = number | string;

export declare interface UserJoined { chatId: number; userId: number | string; timestamp: string }

export declare interface UserLeft extends UserJoined {}

export declare interface UserModel {
    id: number | string;
    role: string | null;
    type: string;
    department: string | null;
    permissions: string[];
    name: string | null;
    avatarUrl: string | null;
}

export declare interface UserTyping { chatId: number; userId: number | string; isTyping: boolean; timestamp: string }

export declare interface UserUpdated { user: ProfileModel; timestamp: string }

export { }
