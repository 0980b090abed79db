/* The names and fields of the wire, as chat/contracts has them. */

export type ErrorCode =
  | 'VALIDATION_ERROR' | 'UNKNOWN_EVENT' | 'UNAUTHENTICATED' | 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'TOKEN_REVOKED'
  | 'AUTH_UNAVAILABLE' | 'USER_BLOCKED' | 'FORBIDDEN' | 'NOT_PARTICIPANT' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED'
  | 'MESSAGE_DELETED' | 'CONFLICT' | 'IDEMPOTENCY_CONFLICT' | 'EDIT_CONFLICT' | 'EDIT_WINDOW_CLOSED'
  | 'PAYLOAD_TOO_LARGE' | 'UNSUPPORTED_MEDIA' | 'RATE_LIMITED' | 'REJECTED' | 'PLUGIN_ERROR' | 'STORAGE_UNAVAILABLE'
  | 'SHUTTING_DOWN' | 'TIMEOUT' | 'INTERNAL_ERROR';

export interface ErrorModel {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  retryAfter?: number;
  details?: { path: string; message: string }[];
  chatId?: number;
  requestId: string;
  event?: string;
}

export interface ReplyPreviewModel { id: number; senderId: number | string; message: string }

/** A message. A client sends `content` and receives `message`. */
export interface MessageModel {
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

/** What a message of type `system` says: the server wrote it. */
export interface SystemModel {
  kind: string;
  by: number | string;
  userIds: (number | string)[];
  role?: 'owner' | 'moderator' | 'member' | 'readonly';
  title?: string | null;
}

export interface ParticipantModel {
  userId: number | string;
  role: 'owner' | 'moderator' | 'member' | 'readonly';
  name: string | null;
  avatarUrl: string | null;
  joinedAt: string;
  lastReadMessageId: number | null;
}

/** A chat as one of its participants sees it. */
export interface ChatModel {
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

export interface ChatSettingsModel {
  title: string | null;
  externalRef: string | null;
  metadata: { [name: string]: unknown } | null;
}

export interface RevisionModel { revision: number; message: string; timestamp: string }

export interface CatchUpModel {
  chatId: number;
  fromSeq: number;
  toSeq: number;
  hasMore: boolean;
  reset: boolean;
  messages: MessageModel[];
  participants?: ParticipantModel[];
  chat?: ChatModel;
}

export interface ChatRefusedModel { chatId: number; error: ErrorModel }

export interface SyncModel {
  epoch: string;
  serverTime: string;
  chats: (CatchUpModel | ChatRefusedModel | ChatModel)[];
}

export interface UnreadModel {
  chatId: number;
  unreadCount: number;
  lastReadMessageId: number | null;
  lastMessage: MessageModel | null;
}

export interface UnreadChatsModel { total: number; chats: UnreadModel[] }
export interface ReadModel { userId: number | string; lastReadMessageId: number | null }
export interface ReadCursorModel { chatId: number; lastReadMessageId: number | null; unreadCount: number }

export interface JoinedChatModel {
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

export interface UserModel {
  id: number | string;
  role: string | null;
  type: string;
  department: string | null;
  permissions: string[];
  name: string | null;
  avatarUrl: string | null;
}

export interface ProfileModel { id: number | string; name: string | null; avatarUrl: string | null }
export interface PresenceModel { userId: number | string; status: 'online' | 'offline'; lastSeenAt: string | null }

export interface NewMessage { message: MessageModel; chatId: number; seq: number; timestamp: string }
export interface MessageUpdated extends NewMessage {}
export interface MessageDeleted { messageId: number; chatId: number; seq: number; timestamp: string }
export interface UserTyping { chatId: number; userId: number | string; isTyping: boolean; timestamp: string }
export interface MessageRead { chatId: number; messageId: number; userId: number | string; timestamp: string }
export interface UserJoined { chatId: number; userId: number | string; timestamp: string }
export interface UserLeft extends UserJoined {}
export interface UnreadUpdated extends UnreadModel { seq: number; timestamp: string }
export interface PresenceChanged extends PresenceModel { timestamp: string }
export interface UserUpdated { user: ProfileModel; timestamp: string }
export interface ChatCreated { chat: ChatModel; chatId: number; seq: number; timestamp: string }
export interface ChatUpdated { chat: ChatSettingsModel; chatId: number; seq: number; timestamp: string }
export interface ChatDeleted { chatId: number; seq: number; timestamp: string }
export interface ParticipantAdded {
  chatId: number;
  participant: ParticipantModel;
  participantCount: number;
  seq: number;
  timestamp: string;
}
export interface ParticipantUpdated extends ParticipantAdded {}
export interface ParticipantRemoved {
  chatId: number;
  participantId: number | string;
  participantCount: number;
  seq: number;
  timestamp: string;
}
export interface RemovedFromChat { chatId: number; reason: 'removed' | 'left' | 'deleted' | 'expired' }
export interface TokenExpiring { expiresAt: string; expiresIn: number }
export interface SessionExpired { code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | 'USER_BLOCKED'; message: string }
export interface ServerShutdown { retryAfter: number }

/** The pushes of the server, by the name of the event. */
export interface ServerEvents {
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
