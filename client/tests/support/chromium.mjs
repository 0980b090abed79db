/**
 * `node tests/support/chromium.mjs`: the tests in a browser, on a page and in a worker, with Debian's Chromium. `node:test`
 * and `node:assert` are small ones of our own there, with the functions that the tests use.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const FILES = readdirSync(here('..')).filter((name) => name.endsWith('.test.mjs'));

function findChromium() {
  for (const name of NAMES) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch { /* the next one */ }
  }
  return null;
}

/** All tests as one script, which puts its results into `globalThis.results`. */
async function bundled() {
  const stdin = {
    contents: `${FILES.map((name) => `import './${name}';`).join('\n')}
      import { run } from 'node:test';
      globalThis.results = run();
      if (!globalThis.document) globalThis.results.then((results) => postMessage(results));`,
    resolveDir: here('..'),
  };
  const alias = { 'node:test': here('browser-test.mjs'), 'node:assert/strict': here('browser-assert.mjs') };
  // A package without side effects: esbuild would leave its tests out.
  const options = { bundle: true, format: 'esm', write: false, ignoreAnnotations: true };
  const { outputFiles: [script] } = await build({ ...options, stdin, alias });
  return script.text;
}

const path = findChromium();
if (!path) {
  console.log('Chromium: not installed, so its tests are skipped.');
  process.exit(0);
}
const script = await bundled();
const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
try {
  const page = await (await browser.newContext()).newPage();
  // An origin of its own, with storage and locks, and no server behind it.
  await page.route('**/*', (route) => route.fulfill({
    contentType: route.request().url().endsWith('.js') ? 'text/javascript' : 'text/html',
    body: route.request().url().endsWith('.js') ? script : '<!doctype html>',
  }));
  await page.goto('https://client.test/');
  const places = {
    page: () => page.evaluate(async () => { await import('/tests.js'); return globalThis.results; }),
    worker: () => page.evaluate(() => new Promise((resolve, reject) => {
      const worker = new Worker('/tests.js', { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    })),
  };
  for (const [place, run] of Object.entries(places)) {
    const { passed, failures } = await run();
    console.log(`Chromium ${browser.version()}, ${place}: ${passed} passed, ${failures.length} failed`);
    for (const failure of failures) console.log(failure);
    if (failures.length > 0 || passed === 0) process.exitCode = 1;
  }
} finally {
  await browser.close();
}
