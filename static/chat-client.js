/**
 * The client of ChatGateway with the socket.io-client that lies beside it. It knows nothing of any user interface.
 * An application with a bundler copies the folder client/ and hands in its own:
 *
 *   import { io } from 'socket.io-client';
 *   import { ChatClient } from './client/client.js';
 *   const chat = new ChatClient({ io, getToken: () => session.token });
 *
 *   chat.on('history', ({ messages, reset }) => ...);   // the latest page, or what was missed while away
 *   chat.on('newMessage', ({ message }) => ...);        // every event of the server comes by its own name
 *   chat.on('outbox', (items) => ...);                  // what is not stored yet: pending or failed
 *   chat.connect();  chat.open(1);
 *   chat.send(1, 'Hello');
 *
 * Merge messages by `id` and keep the one with the higher `updatedSeq`: then the order in which answers and events
 * arrive does not matter. docs/guide.md has all options, methods, events and states.
 */
import { io } from './vendor/socket.io-4.8.4.esm.min.js';
import { ChatClient as ClientWithoutSocket } from './client/client.js';

export { ChatError } from './client/errors.js';

export class ChatClient extends ClientWithoutSocket {
  /** The options of client/client.js; `io` need not be given. */
  constructor(options) {
    super({ io, ...options });
  }
}
