// Everything that goes over the wire. Made from the server's models by tools/types.mjs: do not edit.

/** The host application's id of a user; a text of digits is the integer. */
export type UserId = number | string;

/** What a participant may do in a chat, from most to least. */
export type Role = 'owner' | 'moderator' | 'member' | 'readonly';

/** A moment in UTC, with milliseconds. */
export type Timestamp = string;

/** Every code that a client can meet; docs/errors.md has a section for each. */
export type ErrorCode =
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

/** The event was handled. */
export interface Ack {
  success: true;
}

/** `POST /chats/:id/participants`. */
export interface AddParticipants {
  /**
   * @minItems 1
   * @maxItems 1000
   */
  userIds: UserId[];
  role?: Role;
}

/** All that were named, whether new or not. */
export interface AddedParticipantsAnswer {
  success: true;
  data: Participant[];
}

/** A user in a chat. */
export interface Participant {
  userId: UserId;
  role: Role;
  name: string | null;
  avatarUrl: string | null;
  joinedAt: Timestamp;
  lastReadMessageId: number | null;
}

/** An error as a client receives it. `chatId` is only in a CONFLICT, `event` only in the pushed `error`. */
export interface ApiError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  requestId: string;
  retryAfter?: number;
  details?: Detail[];
  chatId?: number;
  event?: string;
}

/** The fault of one field. */
export interface Detail {
  path: string;
  message: string;
}

/** With `token`, refresh the socket's identity; without it, ask who the socket is. `autoJoin` enters the rooms of all chats of the user at once. */
export interface Authenticate {
  token?: string | null;
  autoJoin?: boolean;
}

/** The socket's identity; `autoJoinedChats` only where that was asked for. */
export interface AuthenticateAck {
  success: true;
  message: string;
  userId: UserId;
  socketId: string;
  autoJoinedChats?: number[];
  data: Session;
}

/** The identity of the socket, and what this server can do. */
export interface Session {
  protocol: number;
  features: string[];
  server: string;
  user: User;
  expiresAt: Timestamp;
  serverTime: Timestamp;
  epoch: string;
  limits: Limits;
}

/** The caller, as their token says; `tenant` is there if it names one. */
export interface User {
  id: UserId;
  role: string | null;
  type: string;
  department: string | null;
  permissions: string[];
  name: string | null;
  avatarUrl: string | null;
  tenant?: string;
}

/** The limits of this server that a client should know. */
export interface Limits {
  maxContentChars: number;
  maxPayloadBytes: number;
  maxRoomsPerSocket: number;
  maxParticipants: number;
}

/** `POST /chats/join` and `POST /admin/seats/refresh`. */
export interface ByExternalRef {
  externalRef: string;
}

/** A page of what changed in a chat after a cursor; `hasMore` = ask again with `toSeq`. `participants` (all of them) and `chat` are there when they changed. */
export interface CatchUp {
  chatId: number;
  fromSeq: number;
  toSeq: number;
  hasMore: boolean;
  reset: boolean;
  messages: Message[];
  participants?: Participant[];
  chat?: Chat;
}

/** A message. A client sends `content` and receives `message`. A deleted message keeps its place, with an empty text. `system` is there where `type` is `system`: the server wrote it. */
export interface Message {
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

/** The beginning of the message that another one answers. */
export interface ReplyPreview {
  id: number;
  senderId: UserId;
  message: string;
}

/** The content of a message of type `system`; `role` and `title` where these were changed. */
export interface System {
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

/** A chat as one of its participants sees it. `participants` is there in answers about one chat, in direct chats, and in `chatCreated`, which has the first 50 of them. */
export interface Chat {
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

export interface CatchUpAnswer {
  success: true;
  data: ChatCatchUp;
}

/** The page of one chat, and the epoch. */
export interface ChatCatchUp {
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

export interface ChatAnswer {
  success: true;
  data: Chat;
}

/** To every participant of a new chat. `chat` is as that participant sees it at that moment, with the first 50 of its participants. */
export interface ChatCreated {
  chat: Chat;
  chatId: number;
  seq: number;
  timestamp: Timestamp;
}

/** To the room: the chat is deleted. */
export interface ChatDeleted {
  chatId: number;
  seq: number;
  timestamp: Timestamp;
}

export interface ChatReference {
  chatId: number;
}

/** In place of the page of a chat that the caller may not read. */
export interface ChatRefused {
  chatId: number;
  error: ApiError;
}

/** The part of a chat that is the same for every participant. */
export interface ChatSettings {
  title: string | null;
  externalRef: string | null;
  metadata: {
    [k: string]: unknown;
  } | null;
}

/** To the participants of a chat: its settings changed. */
export interface ChatUpdated {
  chat: ChatSettings;
  chatId: number;
  seq: number;
  timestamp: Timestamp;
}

export interface ChatsAnswer {
  success: true;
  data: Chat[];
  page: CursorPage;
}

/** The `cursor` that asks for the next page; null: this was the last one. */
export interface CursorPage {
  nextCursor: string | null;
}

/** `POST /chats`. A direct chat has exactly one other participant and no title. */
export interface CreateChat {
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
export interface CreateMessage {
  chatId: number;
  content: string;
  clientMessageId?: string | null;
  replyToId?: number | null;
  metadata?: {
    [k: string]: unknown;
  } | null;
}

export interface DeletedChat {
  chatId: number;
}

export interface DeletedChatAnswer {
  success: true;
  data: DeletedChat;
}

/** The demo chat, and the users to begin with. */
export interface DemoInfo {
  chatId: number;
  users: DemoUser[];
}

/** A user of the demo chat. */
export interface DemoUser {
  id: UserId;
  name: string;
}

export interface DemoInfoAnswer {
  success: true;
  data: DemoInfo;
}

/** `POST /demo/token`, in demo mode only. */
export interface DemoName {
  name: string;
}

/** A token, whose it is, and the chat that its user is in. */
export interface DemoToken {
  token: string;
  expiresAt: Timestamp;
  user: DemoUser;
  chatId: number;
}

export interface DemoTokenAnswer {
  success: true;
  data: DemoToken;
}

export interface EditMessage {
  messageId: number;
  content: string;
  expectedRevision?: number | null;
}

/** To a socket whose event was refused and had asked for no ack. */
export interface ErrorPush {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  requestId: string;
  retryAfter?: number;
  details?: Detail[];
  chatId?: number;
  event?: string;
}

export interface GetPresence {
  /**
   * @maxItems 200
   */
  userIds: UserId[];
}

/** In the order asked. */
export interface GetPresenceAck {
  success: true;
  data: Presence[];
}

/** Whether a user is online, and when their last socket closed. */
export interface Presence {
  userId: UserId;
  status: 'online' | 'offline';
  lastSeenAt: Timestamp | null;
}

export interface HistoryAnswer {
  success: true;
  data: Revision[];
  page: HistoryPage;
}

/** An earlier text of a message; `timestamp` is when it was written. */
export interface Revision {
  revision: number;
  message: string;
  timestamp: Timestamp;
}

/** Whether there are earlier texts, and the `before` that asks for them. */
export interface HistoryPage {
  hasBefore: boolean;
  oldestRevision: number | null;
}

/** A hook of a plugin: whether it is switched off after failures, or for so many users. */
export interface Hook {
  hook: string;
  failures: number;
  off: boolean;
  usersOff: number;
}

/** Join a chat; with the client's cursor, `since` and `epoch`, the ack holds what it missed. By its id, or by its externalRef, which makes the chat where the host gives the user a seat. */
export interface JoinChat {
  chatId?: number | null;
  externalRef?: string | null;
  since?: number | null;
  epoch?: string | null;
  limit?: number;
}

export interface JoinChatAck {
  success: true;
  message: string;
  data: JoinedChat;
}

/** A chat as a socket finds it that joins; `role` is null for an admin outside of it. */
export interface JoinedChat {
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

/** How far a participant has read. */
export interface Read {
  userId: UserId;
  lastReadMessageId: number | null;
}

export interface LeaveChatAck {
  success: true;
  message: string;
}

export interface MarkAsRead {
  chatId: number;
  messageId: number;
}

export interface MarkAsReadAck {
  success: true;
  data: ReadCursor;
}

/** How far the caller has read a chat. */
export interface ReadCursor {
  chatId: number;
  lastReadMessageId: number | null;
  unreadCount: number;
}

/** `POST /chats/:id/read`. */
export interface MarkRead {
  messageId: number;
}

export interface MessageAck {
  success: true;
  data: Message;
}

export interface MessageAnswer {
  success: true;
  data: Message;
}

/** To the room: a message became a tombstone. */
export interface MessageDeleted {
  messageId: number;
  chatId: number;
  seq: number;
  timestamp: Timestamp;
}

/** To the others in the room: a read cursor moved. */
export interface MessageRead {
  chatId: number;
  messageId: number;
  userId: UserId;
  timestamp: Timestamp;
}

export interface MessageReference {
  messageId: number;
}

/** To the room: a message was edited. */
export interface MessageUpdated {
  message: Message;
  chatId: number;
  seq: number;
  timestamp: Timestamp;
}

export interface MessagesAnswer {
  success: true;
  data: Message[];
  page: MessagesPage;
}

/** Whether there are more messages, and the number of the chat's last change. */
export interface MessagesPage {
  hasBefore: boolean;
  hasAfter: boolean;
  oldestId: number | null;
  newestId: number | null;
  seq: number;
}

/** Whether the answer ended before the ids that were asked for. */
export interface MorePage {
  hasMore: boolean;
}

/** To the room: the server stored a message. */
export interface NewMessage {
  message: Message;
  chatId: number;
  seq: number;
  timestamp: Timestamp;
}

/** The notices that wait for a plugin. */
export interface Notices {
  waiting: number;
  oldestAgeS: number;
  dropped: number;
}

/** To the room, and to the user who was added. */
export interface ParticipantAdded {
  chatId: number;
  participant: Participant;
  participantCount: number;
  seq: number;
  timestamp: Timestamp;
}

export interface ParticipantAnswer {
  success: true;
  data: Participant;
}

export interface ParticipantReference {
  chatId: number;
  participantId: UserId;
}

export interface ParticipantReferenceAnswer {
  success: true;
  data: ParticipantReference;
}

/** To the room: a participant was removed, or has left the chat. */
export interface ParticipantRemoved {
  chatId: number;
  participantId: UserId;
  participantCount: number;
  seq: number;
  timestamp: Timestamp;
}

/** To the room: a participant's role changed. */
export interface ParticipantUpdated {
  chatId: number;
  participant: Participant;
  participantCount: number;
  seq: number;
  timestamp: Timestamp;
}

export interface ParticipantsAnswer {
  success: true;
  data: Participant[];
  page: CursorPage;
}

/** A plugin, its hooks and its queue. */
export interface Plugin {
  name: string;
  hooks: Hook[];
  notices: Notices;
}

export interface PluginsAnswer {
  success: true;
  data: Plugin[];
}

/** To the users who share a chat with a user: that user came online, or went offline. */
export interface PresenceChanged {
  userId: UserId;
  status: 'online' | 'offline';
  lastSeenAt: Timestamp | null;
  timestamp: Timestamp;
}

/** The part of a user that others see. */
export interface Profile {
  id: UserId;
  name: string | null;
  avatarUrl: string | null;
}

export interface ReadsAnswer {
  success: true;
  data: Read[];
}

/** The ack of an event, or the answer to a request, that was refused. */
export interface Refusal {
  success: false;
  message: string;
  error: ApiError;
}

/** To a user who is no longer in a chat. */
export interface RemovedFromChat {
  chatId: number;
  reason: 'removed' | 'left' | 'deleted' | 'expired';
}

/** How many seats the host was asked about again, and how many of them ended. */
export interface SeatsRefreshed {
  asked: number;
  ended: number;
}

export interface SeatsRefreshedAnswer {
  success: true;
  data: SeatsRefreshed;
}

export interface SendMessage {
  chatId: number;
  content: string;
  clientMessageId?: string | null;
  replyToId?: number | null;
  metadata?: {
    [k: string]: unknown;
  } | null;
}

/** The stored message; `duplicate`: it had been stored before, and was not pushed now. */
export interface SendMessageAck {
  success: true;
  data: Message;
  duplicate: boolean;
}

/** `duplicate`: this clientMessageId had been stored before. */
export interface SentMessageAnswer {
  success: true;
  data: Message;
  duplicate: boolean;
}

/** To every socket: the server is about to restart. */
export interface ServerShutdown {
  retryAfter: number;
}

/** To a socket, as its last push before the server closes the transport. */
export interface SessionExpired {
  code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | 'USER_BLOCKED';
  message: string;
}

/** A user, and how many of their sockets were ended. */
export interface SocketsEnded {
  userId: UserId;
  disconnected: number;
}

export interface SocketsEndedAnswer {
  success: true;
  data: SocketsEnded;
}

/** The state of the server at this moment. */
export interface Stats {
  users: number;
  sockets: number;
  journal: 'ok' | 'in doubt';
  epoch: string;
  logLinesLost: number;
}

export interface StatsAnswer {
  success: true;
  data: Stats;
}

/** Catch up with several chats; without `chats`, get the overview of all the caller's chats. */
export interface Sync {
  epoch?: string | null;
  chats?: SyncChat[] | null;
  limit?: number;
}

export interface SyncChat {
  chatId: number;
  since?: number | null;
}

export interface SyncAck {
  success: true;
  data: Synced;
}

/** Pages of the chats that were asked for; a list of all chats where none were. */
export interface Synced {
  epoch: string;
  serverTime: Timestamp;
  chats: (CatchUp | ChatRefused | Chat)[];
}

/** To a socket whose token has `expiresIn` seconds left: send `authenticate` with a new one. */
export interface TokenExpiring {
  expiresAt: Timestamp;
  expiresIn: number;
}

export interface Typing {
  chatId: number;
  isTyping: boolean;
}

/** The unread messages of one participant in a chat. */
export interface Unread {
  chatId: number;
  unreadCount: number;
  lastReadMessageId: number | null;
  lastMessage: Message | null;
}

export interface UnreadAnswer {
  success: true;
  data: UnreadChats;
}

/** The chats that have unread messages, and how many these are together. */
export interface UnreadChats {
  total: number;
  chats: Unread[];
}

/** To a user who has read, and to those outside the room when a message is sent. */
export interface UnreadUpdated {
  chatId: number;
  unreadCount: number;
  lastReadMessageId: number | null;
  lastMessage: Message | null;
  seq: number;
  timestamp: Timestamp;
}

/** `PATCH /chats/:id`; an absent field stays as it is, null clears it. */
export interface UpdateChat {
  title?: string | null;
  externalRef?: string | null;
  metadata?: {
    [k: string]: unknown;
  } | null;
}

/** `PATCH` and `PUT /chat-messages/:id`. */
export interface UpdateMessage {
  content: string;
  expectedRevision?: number | null;
}

/** `PATCH /chats/:id/participants/:userId`. */
export interface UpdateParticipant {
  role: Role;
}

export interface UserAnswer {
  success: true;
  data: Profile;
}

/** To the others in the room: a user's first socket entered it. */
export interface UserJoined {
  chatId: number;
  userId: UserId;
  timestamp: Timestamp;
}

/** To the others in the room: a user's last socket left it. */
export interface UserLeft {
  chatId: number;
  userId: UserId;
  timestamp: Timestamp;
}

/** `PUT /users/:id`. */
export interface UserProfile {
  name?: string | null;
  avatarUrl?: string | null;
}

/** To the others in the room: a user types, or has stopped. */
export interface UserTyping {
  chatId: number;
  userId: UserId;
  isTyping: boolean;
  timestamp: Timestamp;
}

/** To a user, and to all who share a chat with them: their name or picture changed. */
export interface UserUpdated {
  user: Profile;
  timestamp: Timestamp;
}

export interface UsersAnswer {
  success: true;
  data: Profile[];
  page: MorePage;
}

/** The process answers. */
export interface HealthLive {
  status: 'live';
}

/** Whether the server can take traffic, and the state of each part. */
export interface HealthReadiness {
  status: 'ready' | 'unavailable';
  parts: {
    [k: string]: string;
  };
}

/** The time of the server, in milliseconds since 1970. */
export interface PingPong {
  pong: number;
}

/** The pushes of the server, with their payloads. */
export interface ServerEvents {
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

/** The events that a client may emit, with their payloads and the acks of a success. */
export interface ClientEvents {
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
