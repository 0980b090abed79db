/** The server's error model as an exception, and the errors that only a client can see. */
/** @import { ChatErrorFields, ClientErrorCode } from './types.js' */
/** @import { ErrorCode } from './wire.js' */

/** Decide by `code`, show `message`. `retryable` means: the same thing may succeed later, unchanged. */
export class ChatError extends Error {
  /**
   * Made of the server's error model, or of less.
   *
   * @param {ChatErrorFields} [fields]
   */
  constructor({ code, message, retryable, retryAfter, details, chatId, requestId, cause } = {}) {
    super(message || 'Something went wrong.', { cause });
    this.name = 'ChatError';
    /** What happened: a code of the server, or of the client. @type {ErrorCode | ClientErrorCode} */
    this.code = code ?? 'INTERNAL_ERROR';
    /** Whether the same thing may succeed later, unchanged. */
    this.retryable = retryable ?? false;
    /** Seconds to wait before the next try, where the server knows. */
    this.retryAfter = retryAfter;
    /** With VALIDATION_ERROR and CONFLICT: what is wrong with which field. */
    this.details = details;
    /** With CONFLICT: the chat that there is already. */
    this.chatId = chatId;
    /** The server's log has the same id. */
    this.requestId = requestId;
  }

  /**
   * The fields as a plain object, which can be stored and sent to another tab.
   *
   * @returns {ChatErrorFields}
   */
  toJSON() {
    const { code, message, retryable, retryAfter, details, chatId, requestId } = this;
    return { code, message, retryable, retryAfter, details, chatId, requestId };
  }
}

export const noConnection = (message = 'There is no connection to the server.') =>
  new ChatError({ code: 'DISCONNECTED', message, retryable: true });

export const noAnswer = () =>
  new ChatError({ code: 'TIMEOUT', message: 'The server did not answer in time.', retryable: true });

/**
 * The error that was caught, as a ChatError.
 *
 * @param {unknown} error
 */
export const asChatError = (error) => (error instanceof ChatError ? error
  : new ChatError({ message: error instanceof Error ? error.message : String(error), cause: error }));

/**
 * The refusal that an ack or a REST body holds.
 *
 * @param {any} answer
 */
export const refusalIn = (answer) => new ChatError({ message: answer?.message, ...answer?.error });
