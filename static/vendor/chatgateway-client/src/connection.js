/**
 * The way to a connected socket and back to one: get a token, connect, stay, and begin again when the connection is
 * lost. Only the server's refusal of a token that was sent ends it, or `stop()`; `pause()` interrupts it.
 */
/** @import { ClientState, Clock, Io, StateChange } from './types.js' */
/** @import { TokenSource } from './token-source.js' */
import { asChatError, ChatError, noAnswer } from './errors.js';
import { delayBefore, pause } from './time.js';

const CONNECT_LIMIT_MS = 20_000;
const RECONNECT = { first: 1_000, most: 5_000 };
const MOST_REFUSALS = 3;
// With a newer token the server may say yes. After the other refusals somebody has to sign in.
const RENEWABLE = new Set(['TOKEN_EXPIRED', 'TOKEN_INVALID']);

const lost = () => new ChatError({ code: 'DISCONNECTED', message: 'The server cannot be reached.', retryable: true });

/**
 * A refusal of the server has `data`; anything else was the network.
 *
 * @param {any} cause
 */
const errorOf = (cause) => (cause?.data?.code ? new ChatError({ message: cause.message, ...cause.data }) : lost());

/**
 * What belongs to one `start()`.
 *
 * @typedef {object} Run
 * @property {{token: string, error: ChatError} | null} refused
 * @property {number} refusals
 * @property {number} stale
 * @property {boolean} fresh
 * @property {{over: Promise<void>, end: () => void} | null} wait
 * @property {((error: ChatError) => void) | null} endStay
 */

export class Connection {
  /** @type {ClientState} */
  state = 'closed';
  /** The socket that is connected, or about to be; null in between. @type {any} */
  socket = null;

  #io; #address; #path; #tokens; #clock; #onConnect; #onLost; #onPush; #onState;
  /** @type {string | null} */
  #why = null;
  /** @type {Run | null} */
  #run = null;

  /**
   * `onConnect(socket)` makes the connected socket ready for use; if it rejects, that counts as a failed connect.
   * `onState({state, reason, cause, error})`: `reason` says why it is not online ('token', 'network' or 'server').
   *
   * @param {object} parts
   * @param {Io} parts.io
   * @param {string} parts.address
   * @param {string} parts.path
   * @param {TokenSource} parts.tokens
   * @param {Clock} parts.clock
   * @param {(socket: any) => Promise<void>} parts.onConnect
   * @param {() => void} parts.onLost
   * @param {(event: string, data: any) => void} parts.onPush
   * @param {(change: StateChange) => void} parts.onState
   */
  constructor({ io, address, path, tokens, clock, onConnect, onLost, onPush, onState }) {
    this.#io = io;
    this.#address = address;
    this.#path = path;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#onConnect = onConnect;
    this.#onLost = onLost;
    this.#onPush = onPush;
    this.#onState = onState;
  }

  /** While it is on its way already, try at once. */
  start() {
    if (this.#run) return this.wake();
    this.#run = { refused: null, refusals: 0, stale: 0, fresh: false, wait: null, endStay: null };
    this.#setState('connecting');
    this.#keepConnected(this.#run);
  }

  /** @param {ChatError | null} [error] */
  stop(error = null) {
    if (this.state === 'closed') return;
    this.#end();
    this.#setState('closed', { error });
  }

  /** Have no socket and no timer until the next start(). */
  pause() {
    if (!this.#run) return;
    this.#end();
    this.#setState('paused');
  }

  #end() {
    const run = this.#run;
    this.#run = null;
    run?.wait?.end();
    run?.endStay?.(lost());
  }

  /** Cut the wait before the next try short. */
  wake() {
    this.#run?.wait?.end();
  }

  /** The token of this connection ends, so the next connect needs a new one; or, with `false`, it is here. */
  expectFreshToken(isNeeded = true) {
    if (this.#run) this.#run.fresh = isNeeded;
  }

  /** @param {Run} run */
  async #keepConnected(run) {
    for (let failures = 0; run === this.#run;) {
      const token = await this.#token(run);
      if (run !== this.#run || token === null) return;
      const { wasOnline, error } = await this.#stay(run, token);
      if (run !== this.#run) return;
      if (!error.retryable && !this.#mayRenew(run, token, error)) return this.stop(error);
      failures = wasOnline ? 1 : failures + 1;
      const reason = error.code === 'DISCONNECTED' ? 'network' : 'server';
      this.#setState('reconnecting', { reason: error.retryable ? reason : 'token', cause: error });
      // A newer token is worth a try at once.
      if (error.retryable) await this.#wait(run, delayBefore(error, failures, RECONNECT));
    }
  }

  /**
   * A token to send, asked for until there is one. A refused one is not sent again.
   *
   * @param {Run} run
   */
  async #token(run) {
    for (let failures = 1; run === this.#run; failures += 1) {
      let cause;
      try {
        const token = await this.#tokens.ask({ fresh: run.fresh });
        const { refused } = run;
        if (token !== refused?.token) return token;
        run.stale += 1;
        cause = refused.error;
        if (run === this.#run && (cause.code !== 'TOKEN_EXPIRED' || run.stale === MOST_REFUSALS)) this.stop(cause);
      } catch (error) {
        cause = asChatError(error);
      }
      if (run !== this.#run) return null;
      this.#setState(this.state, { reason: 'token', cause });
      await this.#wait(run, delayBefore(cause, failures));
    }
    return null;
  }

  /**
   * @param {Run} run
   * @param {string} token
   * @param {ChatError} error
   */
  #mayRenew(run, token, error) {
    run.refusals += 1;
    run.refused = { token, error };
    run.fresh = true;
    return RENEWABLE.has(error.code) && run.refusals < MOST_REFUSALS;
  }

  /**
   * Connect once, and stay until the connection ends.
   *
   * @param {Run} run
   * @param {string} token
   * @returns {Promise<{wasOnline: boolean, error: ChatError}>}
   */
  #stay(run, token) {
    return new Promise((resolve) => {
      let wasOnline = false;
      let isOver = false;
      const socket = this.socket = this.#io(this.#address, {
        auth: { token },
        path: this.#path,
        transports: ['websocket', 'polling'],
        tryAllTransports: true, // behind a proxy that lets no WebSocket through it falls back to long polling
        multiplex: false,
        reconnection: false, // that is done here, where a token can be waited for
      });
      const end = (/** @type {ChatError} */ error) => {
        if (isOver) return;
        isOver = true;
        this.#clock.clearTimeout(limit);
        socket.disconnect();
        if (this.socket === socket) this.socket = null;
        this.#onLost();
        resolve({ wasOnline, error });
      };
      run.endStay = end;
      const limit = this.#clock.setTimeout(() => end(noAnswer()), CONNECT_LIMIT_MS);
      socket.on('connect', async () => {
        try {
          await this.#onConnect(socket);
        } catch (error) {
          return end(asChatError(error));
        }
        if (isOver || run !== this.#run) return end(lost());
        this.#clock.clearTimeout(limit);
        wasOnline = true;
        Object.assign(run, { refused: null, refusals: 0, stale: 0, fresh: false });
        this.#setState('online');
      });
      socket.on('disconnect', () => end(lost()));
      socket.on('connect_error', (/** @type {unknown} */ cause) => end(errorOf(cause)));
      socket.onAny((/** @type {string} */ event, /** @type {any} */ data) => socket === this.socket && this.#onPush(event, data));
    });
  }

  /**
   * @param {Run} run
   * @param {number} ms
   */
  async #wait(run, ms) {
    run.wait = pause(this.#clock, ms);
    await run.wait.over;
    run.wait = null;
  }

  /**
   * @param {ClientState} state
   * @param {Partial<Omit<StateChange, 'state'>>} [why]
   */
  #setState(state, { reason = null, cause = null, error = null } = {}) {
    const why = reason && `${reason} ${cause?.code}`; // told again when it is another one
    if (state === this.state && why === this.#why && !error) return;
    this.state = state;
    this.#why = why;
    this.#onState({ state, reason, cause, error });
  }
}
