/** `npm run check`: what has to be true of the package before anybody installs it. Prints a line for each check. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const MOST_BYTES = 12_000;
const REPORT = 'api/client.api.md';
const TYPES = 'types/index.d.ts';

/** Run a program of node_modules; its output is the error where it fails. */
async function run(program, ...options) {
  const { stdout, stderr } = await promisify(execFile)(`node_modules/.bin/${program}`, options).catch((error) => {
    throw new Error(`${program} ${options.join(' ')}\n${error.stdout}${error.stderr}`);
  });
  return stdout + stderr;
}

/** The declarations and the report that are in the repository are those of the sources. */
async function isFresh() {
  const read = () => Promise.all([REPORT, TYPES].map((file) => readFile(file, 'utf8').catch(() => '')));
  const before = await read();
  await promisify(execFile)('npm', ['run', '--silent', 'types']).catch((error) => {
    throw new Error(`npm run types\n${error.stdout}${error.stderr}`);
  });
  const [after, names] = [await read(), [REPORT, TYPES]];
  const stale = names.filter((_, index) => before[index] !== after[index]);
  if (stale.length > 0) throw new Error(`${stale.join(' and ')} were not those of the sources. They are now: look at the difference.`);
  return `${REPORT} and ${TYPES} are fresh`;
}

/** api-extractor marks what has no comment, and names Plugin_2 what is Plugin also in a browser. The shapes of the server have theirs in docs/events.md and docs/rest.md. */
async function isDocumented() {
  const [report, wire] = await Promise.all([readFile(REPORT, 'utf8'), readFile('src/wire.d.ts', 'utf8')]);
  const ofTheServer = new Set([...wire.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name));
  const parts = report.split(/^(?=\/\/ @public)/m).slice(1);
  const bare = parts.map((part) => [/(?:class|interface|type|const|function) (\w+?)(?:_2)?\b/.exec(part)?.[1], part])
    .filter(([name, part]) => !ofTheServer.has(name) && part.includes('(undocumented)'))
    .map(([name]) => name);
  if (bare.length > 0) throw new Error(`A comment is missing in ${bare.join(', ')}.`);
  return `${parts.length} exports, ${parts.length - ofTheServer.size} of them the client's own, all with a comment`;
}

/** As a bundler makes it for a browser, without socket.io-client. */
async function isSmall() {
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false };
  const { outputFiles: [bundle] } = await build({ ...options, entryPoints: ['src/index.js'], external: ['socket.io-client'] });
  const bytes = gzipSync(bundle.contents, { level: 9 }).length;
  if (bytes > MOST_BYTES) throw new Error(`The package is ${bytes} bytes gzipped; ${MOST_BYTES} are allowed.`);
  return `${bytes} bytes, minified and gzipped, of ${MOST_BYTES} allowed`;
}

const CHECKS = {
  types: isFresh,
  front_end: () => run('tsc', '-p', 'tests/types').then(() => 'a strict front end compiles, and mistakes do not'),
  documented: isDocumented,
  publint: () => run('publint', '--strict').then(() => 'clean'),
  // Node 20 and bundlers import it; CommonJS and node10 are not meant.
  attw: () => run('attw', '--pack', '.', '--profile', 'esm-only').then(() => 'clean'),
  size: isSmall,
};

let failed = false;
for (const [name, check] of Object.entries(CHECKS)) {
  try {
    console.log(`${name}: ${await check()}`);
  } catch (error) {
    failed = true;
    console.error(`${name}: FAILED\n${error.message}`);
  }
}
process.exitCode = failed ? 1 : 0;
