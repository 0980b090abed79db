/**
 * Lets a test use the official Socket.IO clients: commands come in as JSON lines, what happens goes out as JSON lines.
 *
 *   in   {"do": "connect", "as": "ada", "client": "socket.io-client", "url": "http://.../chat", "options": {...}}
 *        {"do": "emit", "as": "ada", "args": ["joinChat", {"chatId": 1}], "ack": 7}   without "ack": none is asked for
 *        {"do": "disconnect", "as": "ada"}
 *   out  {"as": "ada", "event": "newMessage", "args": [...]}     every push, and connect, disconnect, connect_error
 *        {"as": "ada", "event": "transport", "args": ["websocket"]}   at first, and after an upgrade
 *        {"ack": 7, "args": [...]}
 */
import { createInterface } from 'node:readline';
import http from 'node:http';
import https from 'node:https';

const sockets = new Map();
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** A source address of one's own, for both transports: JSON can carry no agent. */
function agentFor(url, { localAddress, rejectUnauthorized }) {
  if (!localAddress) return {};
  const { Agent } = url.startsWith('https:') ? https : http;
  return { agent: new Agent({ localAddress, rejectUnauthorized }) };
}

const commands = {
  async connect({ as, client, url, options = {} }) {
    const { default: io } = await import(client);
    const socket = io(url, { multiplex: false, ...options, ...agentFor(url, options) });
    sockets.set(as, socket);
    const tell = (event, ...args) => say({ as, event, args });

    socket.on('connect', () => tell('connect', socket.id));
    socket.on('disconnect', (reason) => tell('disconnect', reason));
    socket.on('connect_error', ({ message, data }) => tell('connect_error', { message, data, active: socket.active }));
    socket.onAny(tell);
    socket.io.on('reconnect_attempt', (attempt) => tell('reconnect_attempt', attempt));
    socket.io.on('open', () => {
      const { engine } = socket.io;
      tell('transport', engine.transport.name);
      engine.on('upgrade', (transport) => tell('transport', transport.name));
    });
  },

  emit({ as, args, ack }) {
    const answer = ack === undefined ? [] : [(...values) => say({ ack, args: values })];
    sockets.get(as).emit(...args, ...answer);
  },

  disconnect({ as }) {
    sockets.get(as).disconnect();
  },
};

// One after the other: a client is imported before something is emitted on its socket.
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  await commands[command.do](command);
}
process.exit(0);
