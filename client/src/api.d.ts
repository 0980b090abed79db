/** The client of ChatGateway, for browsers, workers and Node.
 * @packageDocumentation
 */
export * from './index.js';
export type * from './types.js';
export type * from './wire.js';
