// Writes client/src/wire.d.ts from openapi.json and asyncapi.json:
//     node tools/types.mjs FOLDER-OF-THE-DOCUMENTS TARGET
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// The packages of tests/js, where `make` installs them.
const { compile } = createRequire(new URL('../tests/js/', import.meta.url))('json-schema-to-typescript');
const [folder, target] = process.argv.slice(2);
const [openapi, asyncapi] = ['openapi.json', 'asyncapi.json'].map((name) =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')),
);

/** Names a type: `PingPong` for `ping.Pong`, a type of the plugin `ping`. */
const typeName = (name) => name.replace(/(^|\.)(.)/g, (_, dot, first) => first.toUpperCase());
const nameOf = (schema) => schema.$ref && typeName(schema.$ref.split('/').at(-1));

/** A schema as the compiler likes it: a reference stands alone, and points into `definitions`. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if (value.$ref) return { $ref: `#/definitions/${nameOf(value)}` };
  if (value.allOf?.length === 1) return plain(value.allOf[0]);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

const schemas = { ...openapi.components.schemas, ...asyncapi.components.schemas };
const definitions = Object.fromEntries(
  Object.entries(schemas).map(([name, schema]) => {
    const { title, ...rest } = plain(schema);
    return [typeName(name), rest];
  }),
);

// A newer server may send values that these types do not have.
const open = ({ description, ...closed }) => ({ description, anyOf: [closed, { tsType: '(string & {})' }] });
definitions.ErrorCode = open(definitions.ErrorCode);
definitions.System.properties.kind = open(definitions.System.properties.kind);

const root = { title: 'Wire', type: 'object', additionalProperties: false, definitions };
const types = await compile(root, 'Wire', {
  additionalProperties: false,
  bannerComment: '',
  ignoreMinAndMaxItems: true,
  unreachableDefinitions: true,
  style: { singleQuote: true, printWidth: 100 },
});

const { messages } = asyncapi.channels.chat;
const sent = [];
const pushed = [];
for (const [name, { action, summary }] of Object.entries(asyncapi.operations)) {
  const payload = nameOf(messages[name].payload);
  if (action === 'send') {
    pushed.push(`  /** ${summary} */\n  ${name}: ${payload};`);
  } else {
    const ack = nameOf(messages[`${name}Ack`].payload);
    sent.push(`  /** ${summary} */\n  ${name}: { payload: ${payload ?? 'null'}; ack: ${ack} };`);
  }
}

writeFileSync(
  target,
  `// Everything that goes over the wire. Made from the server's models by tools/types.mjs: do not edit.

${types
  .replace(/^export interface Wire \{\}\n/m, '')
  .replace(/\n \*\n \* This interface was referenced by `Wire`'s JSON-Schema\n \* via the `definition` "[\w.]+"\./g, '')
  .replace(/\/\*\*\n \* This interface was referenced by `Wire`'s JSON-Schema\n \* via the `definition` "[\w.]+"\.\n \*\/\n/g, '')
  .replace(/^\/\*\*\n \* ([^\n]*)\n \*\//gm, '/** $1 */')
  .replace(/^(\}|.*;)\n(\/\*\*|export)/gm, '$1\n\n$2')
  .trim()}

/** The pushes of the server, with their payloads. */
export interface ServerEvents {
${pushed.join('\n')}
}

/** The events that a client may emit, with their payloads and the acks of a success. */
export interface ClientEvents {
${sent.join('\n')}
}
`,
);
