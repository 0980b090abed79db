/** The server's error model as an exception, and the errors that only a client can see. */

/** Decide by `code`, show `message`. `retryable` means: the same thing may succeed later, unchanged. */
export class ChatError extends Error {
  constructor({ code, message, retryable, retryAfter, details, requestId, cause } = {}) {
    super(message || 'Something went wrong.', { cause });
    this.name = 'ChatError';
    Object.assign(this, { code: code ?? 'INTERNAL_ERROR', retryable: retryable ?? false, retryAfter, details, requestId });
  }

  /** The fields as a plain object, which can be stored and sent to another tab. */
  toJSON() {
    const { code, message, retryable, retryAfter, details, requestId } = this;
    return { code, message, retryable, retryAfter, details, requestId };
  }
}

export const noConnection = (message = 'There is no connection to the server.') =>
  new ChatError({ code: 'DISCONNECTED', message, retryable: true });

export const noAnswer = () =>
  new ChatError({ code: 'TIMEOUT', message: 'The server did not answer in time.', retryable: true });

/** The refusal that an ack or a REST body holds. */
export const refusalIn = (answer) => new ChatError({ message: answer?.message, ...answer?.error });
