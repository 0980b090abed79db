/**
 * The package: everything that an application may import from `@chatgateway/client`, with the socket.io-client that is
 * installed beside it.
 */
/** @import { ChatClientOptions } from './types.js' */
import { io } from 'socket.io-client';
import { ClientCore } from './client.js';

export { ChatError } from './errors.js';
export { BrowserStorage } from './storage.js';

/**
 * A client of ChatGateway: it stays connected, follows chats and loses no message.
 *
 * @template {object} [PluginEvents={}] the events that plugins of the server push, with their payloads
 * @extends {ClientCore<PluginEvents>}
 */
export class ChatClient extends ClientCore {
  /**
   * It does nothing before `connect()`.
   *
   * @param {ChatClientOptions} options
   */
  constructor(options) {
    super({ io, ...options });
  }
}
