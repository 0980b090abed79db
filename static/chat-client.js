/**
 * The package @chatgateway/client for a page without a bundler: with the socket.io-client that lies beside it. It is all
 * that the demo page imports of the client, and what a page of another origin imports.
 *
 *   import { ChatClient } from 'https://chat.example.com/static/chat-client.js';
 *   const chat = new ChatClient({ url: 'https://chat.example.com', getToken: () => session.token });
 *
 * An application with a bundler installs the package instead. docs/guide.md has all options, methods, events and states.
 */
import { io } from './vendor/socket.io-4.8.4.esm.min.js';
import { ClientCore } from './vendor/chatgateway-client/src/client.js';

export { ChatError } from './vendor/chatgateway-client/src/errors.js';
export { BrowserStorage } from './vendor/chatgateway-client/src/storage.js';

export class ChatClient extends ClientCore {
  /** The options of the package; `io` need not be given. */
  constructor(options) {
    super({ io, ...options });
  }
}
