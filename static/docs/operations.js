/** Reads the two specifications into one list of operations, all of one shape. */
import { at, codesOf } from './schema.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/**
 * @typedef {object} Operation
 * @property {string} id of its heading: `event/sendMessage`
 * @property {string} group `Events`, `Pushes`, or the tag of a route
 * @property {string} kind `event`, `push`, or the method of a route
 * @property {string} name of the event, or path of the route
 * @property {string} summary one sentence
 * @property {string} more further sentences
 * @property {object[]} parameters `{name, in, required, schema, description}`
 * @property {object[]} parts `{title, note, schema, examples, sent}` of payload, ack, body and answers; `sent` by clients
 * @property {string[]} errors their codes
 * @property {object} api the document, in which its references are looked up
 */

/** @returns {Operation[]} of an AsyncAPI 3 document: what the server receives, then what it sends */
export function readAsyncApi(api) {
  const all = Object.entries(api.operations ?? {}).map(([key, given]) => eventOf(api, key, at(api, given)));
  return [...all.filter((each) => each.kind === 'event'), ...all.filter((each) => each.kind === 'push')];
}

/** @returns {Operation[]} of an OpenAPI 3.1 document, in its order */
export function readOpenApi(api) {
  return Object.entries(api.paths ?? {}).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => routeOf(api, path, method, item)));
}

function eventOf(api, key, given) {
  const messages = messagesOf(api, given);
  const received = given.action === 'receive';
  const name = messages[0]?.name ?? key;
  const parts = messages.map((each) => messagePart(received ? 'Payload' : 'Pushed', each, name, received));
  const replies = given.reply ? messagesOf(api, at(api, given.reply)) : [];
  const isRefusal = ({ payload }) => codesOf(api, payload).length > 0;
  parts.push(...replies.filter((each) => !isRefusal(each)).map((each) => messagePart('Ack', each, name, false)));
  return {
    id: `${received ? 'event' : 'push'}/${name}`,
    group: received ? 'Events' : 'Pushes',
    kind: received ? 'event' : 'push',
    name,
    summary: given.summary ?? messages[0]?.summary ?? '',
    more: given.description ?? messages[0]?.description ?? '',
    parameters: [],
    parts: parts.filter(({ schema, examples, note }) => schema || examples.length > 0 || note),
    errors: replies.flatMap(({ payload }) => codesOf(api, payload)),
    pushes: given['x-pushes'] ?? [],
    api,
  };
}

function messagesOf(api, given) {
  const named = given.messages ?? Object.values(at(api, given.channel ?? {}).messages ?? {});
  return named.map((each) => at(api, each));
}

function messagePart(title, message, name, call) {
  const examples = (message.examples ?? []).map(({ payload }) => payload);
  return {
    title,
    note: title === 'Ack' ? message.summary ?? '' : '',
    sent: call,
    schema: message.payload?.schema ?? message.payload,
    examples: examples.map((each) => (call ? `await socket.emitWithAck('${name}', ${json(each)})` : json(each))),
  };
}

function routeOf(api, path, method, item) {
  const given = item[method];
  const parameters = [...(item.parameters ?? []), ...(given.parameters ?? [])].map((each) => at(api, each));
  const parts = [];
  const verb = method.toUpperCase();
  if (given.requestBody) parts.push(...contentParts(api, 'Body', at(api, given.requestBody), `${verb} ${path}\n\n`));
  const answers = Object.entries(given.responses ?? {}).map(([status, each]) => [status, at(api, each)]);
  for (const [status, response] of answers.filter(([status]) => status < 400)) {
    parts.push(...contentParts(api, `Answer ${status}`, response, ''));
  }
  return {
    id: `route/${given.operationId ?? verb + path}`,
    group: groupOf(path, given),
    kind: verb,
    name: path,
    summary: given.summary ?? '',
    more: [given.description ?? '', given.security?.length === 0 ? 'Needs no token.' : ''].join('\n\n').trim(),
    parameters,
    parts: merged(parts.map((each) => (each.note === given.summary ? { ...each, note: '' } : each))),
    errors: answers.flatMap(([, each]) => Object.values(each.content ?? {}).flatMap(({ schema }) => codesOf(api, schema))),
    pushes: given['x-pushes'] ?? [],
    api,
  };
}

/** Its tag, as a path if it is the beginning of one. */
function groupOf(path, { tags }) {
  const tag = tags?.[0] ?? 'REST';
  return path.startsWith(`/${tag}`) ? `/${tag}` : tag;
}

/** Answers that differ in their status only become one. */
function merged(parts) {
  const found = new Map();
  for (const each of parts) {
    const key = JSON.stringify([each.sent, each.note, each.schema, each.examples]);
    const same = found.get(key);
    if (same) same.title += ` or ${each.title.replace('Answer ', '')}`;
    else found.set(key, { ...each });
  }
  return [...found.values()];
}

function contentParts(api, title, given, before) {
  const [content] = Object.values(given.content ?? {});
  const examples = content?.example !== undefined
    ? [content.example]
    : Object.values(content?.examples ?? {}).map((each) => at(api, each).value);
  return [{
    title,
    note: given.description ?? '',
    sent: title === 'Body',
    schema: content?.schema,
    examples: examples.map((each) => before + json(each)),
  }];
}

function json(value) {
  return JSON.stringify(value, null, 2);
}
