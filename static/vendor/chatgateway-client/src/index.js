/**
 * The package: everything that an application may import from `@chatgateway/client`, with the socket.io-client that is
 * installed beside it.
 */
import { io } from 'socket.io-client';
import { ChatClient as ClientWithoutSocket } from './client.js';

export { ChatError } from './errors.js';
export { BrowserStorage } from './storage.js';

export class ChatClient extends ClientWithoutSocket {
  /** The options of client.js; `io` need not be given. */
  constructor(options) {
    super({ io, ...options });
  }
}
