/** The reference page: every operation of /asyncapi.json and /openapi.json, with a filter and deep links. */
import { html, render, useEffect, useMemo, useRef, useState } from '../vendor/htm-preact-3.1.1.module.js';
import { Mark } from '../ui/parts.js';
import { readAsyncApi, readOpenApi } from './operations.js';
import { Article, Kind, Prose, Schema } from './parts.js';
import { isObject, schemaName } from './schema.js';

/** Relative, so that they hold behind a proxy's path too. */
const BASE = new URL('../..', import.meta.url);
const DOCUMENTS = [
  { path: 'asyncapi.json', read: readAsyncApi },
  { path: 'openapi.json', read: readOpenApi },
];
const PAGES = [
  ['README.md', 'README'],
  ['docs/into-your-application.md', 'Into your application'],
  ['docs/guide.md', 'Client guide'],
  ['docs/recipes.md', 'Recipes'],
  ['docs/events.md', 'Events'],
  ['docs/rest.md', 'REST'],
  ['docs/errors.md', 'Errors'],
  ['docs/README.md', 'All pages'],
];

/** `{operations, api}` of one document, or `{failed}`. */
async function load({ path, read }) {
  const answer = await fetch(new URL(path, BASE)).catch(() => null);
  if (!answer?.ok) return { path, failed: answer ? `the server answered ${answer.status}` : 'the server did not answer' };
  try {
    const api = await answer.json();
    return { path, api, operations: read(api) };
  } catch {
    return { path, failed: 'it is no specification' };
  }
}

function Page({ documents }) {
  const [wanted, setWanted] = useState('');
  const [current, setCurrent] = useState('');
  const [open, setOpen] = useState(false);
  const field = useRef(null);
  const operations = useMemo(() => documents.flatMap((each) => each.operations ?? []), [documents]);
  const groups = useMemo(() => [...new Set(operations.map(({ group }) => group))], [operations]);
  const schemas = useMemo(() => schemasOf(documents), [documents]);
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Set(operations.filter((each) => matches(each, words)));

  useEffect(() => {
    const follow = () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target) return;
      if (target.hidden) setWanted('');
      setOpen(false);
      // Behind the render that shows it again.
      requestAnimationFrame(() => target.scrollIntoView());
    };
    follow();
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  useEffect(() => watchReading(setCurrent), []);
  useEffect(() => {
    const focus = (event) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target === field.current) return;
      event.preventDefault();
      field.current.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);

  const onKeyDown = (event) => {
    const [first] = shown;
    if (event.key === 'Escape') setWanted('');
    if (event.key === 'Enter' && first) location.hash = first.id;
  };
  const found = `${shown.size} of ${operations.length}`;
  return html`
    <a class="skip" href="#content">Skip to the reference</a>
    <div class="frame">
      <aside class="index" aria-label="Contents">
        <div class="index-head">
          <a class="brand" href=${BASE.href}><${Mark} />ChatGateway</a>
          <button type="button" class="contents" aria-expanded=${open} aria-controls="contents" onClick=${() => setOpen(!open)}>
            Contents
          </button>
        </div>
        <div class="filter">
          <label for="filter" class="sr-only">Filter by name, sentence or error code</label>
          <input id="filter" ref=${field} type="search" autocomplete="off" spellcheck=${false} placeholder="Filter"
            value=${wanted} onInput=${(event) => setWanted(event.target.value)} onKeyDown=${onKeyDown} />
          <kbd aria-hidden="true">/</kbd>
          <p class="found" role="status" data-testid="found">${words.length > 0 ? found : ''}</p>
        </div>
        <nav id="contents" class=${open ? 'is-open' : ''} aria-label="Operations">
          ${groups.map((group) => html`<${Links} key=${group} title=${group} current=${current}
            operations=${operations.filter((each) => each.group === group && shown.has(each))} />`)}
        </nav>
      </aside>
      <main id="content" tabindex="-1">
        <header class="intro">
          <h1>Reference</h1>
          <p>Every event, push and REST route of this server, those of its plugins included, made from
            ${' '}<a href=${new URL('asyncapi.json', BASE).href}>asyncapi.json</a> and
            ${' '}<a href=${new URL('openapi.json', BASE).href}>openapi.json</a>.</p>
          <ul class="pages" aria-label="Pages of the documentation">
            ${PAGES.map(([path, title]) => html`<li><a href=${new URL(path, BASE).href}>${title}</a></li>`)}
          </ul>
        </header>
        ${documents.filter(({ failed }) => failed).map(({ path, failed }) => html`
          <p class="failed" role="alert">This page could not read ${path}: ${failed}.</p>`)}
        ${words.length > 0 && shown.size === 0 && html`<p class="nothing">Nothing has all of these words.</p>`}
        ${groups.map((group) => html`<${Group} key=${group} title=${group} shown=${shown}
          operations=${operations.filter((each) => each.group === group)} about=${aboutOf(documents, group)} />`)}
        ${schemas.length > 0 && html`
          <section class="group" hidden=${words.length > 0} aria-labelledby="schemas">
            <h2 id="schemas">Shapes</h2>
            <p>The objects that payloads and answers are made of.</p>
            ${schemas.map(({ name, api }) => html`<${Schema} key=${name} name=${name} api=${api} />`)}
          </section>`}
      </main>
    </div>`;
}

function Links({ title, operations, current }) {
  if (operations.length === 0) return null;
  return html`
    <h2>${title}</h2>
    <ul>
      ${operations.map(({ id, kind, name }) => html`
        <li key=${id}>
          <a href=${`#${id}`} aria-current=${id === current ? 'location' : null}>
            ${kind === 'event' || kind === 'push' ? null : html`<${Kind} kind=${kind} /> `}${name}
          </a>
        </li>`)}
    </ul>`;
}

function Group({ title, about, operations, shown }) {
  const id = `group/${title}`;
  const limits = title === 'Events' ? Object.entries(operations[0].api['x-limits'] ?? {}) : [];
  return html`
    <section class="group" hidden=${!operations.some((each) => shown.has(each))} aria-labelledby=${id}>
      <h2 id=${id}>${title}</h2>
      <${Prose} text=${about} />
      ${limits.length > 0 && html`
        <ul class="codes" aria-label="Limits">
          ${limits.map(([name, most]) => html`<li><code>${inWords(name)}: ${most.toLocaleString('en')}</code></li>`)}
        </ul>`}
      ${operations.map((each) => html`<${Article} key=${each.id} operation=${each} hidden=${!shown.has(each)} />`)}
    </section>`;
}

/** `waitingEvents`: waiting events. */
function inWords(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

const ABOUT = {
  Events: 'A client emits these on the namespace `/chat`, and gets an ack when it asks for one.',
  Pushes: 'The server emits these to clients.',
};

function aboutOf(documents, group) {
  const tags = documents.flatMap(({ api }) => api?.tags ?? []);
  return ABOUT[group] ?? tags.find(({ name }) => name === group)?.description ?? '';
}

function matches({ name, kind, summary, errors }, words) {
  const text = [name, kind, summary, ...errors].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * The named objects of both documents that others link to, each once, in the order of their names. A whole payload or
 * answer is shown where it is used.
 */
function schemasOf(documents) {
  const found = new Map();
  for (const { api, operations } of documents) {
    const whole = (operations ?? []).flatMap(({ parts }) => parts).map(({ schema }) => schema);
    const linking = JSON.stringify([api?.components?.schemas, whole.filter((each) => !schemaName(each))]);
    for (const [name, schema] of Object.entries(api?.components?.schemas ?? {})) {
      const isLinked = linking.includes(`"#/components/schemas/${name}"`);
      if (isLinked && isObject(schema) && !found.has(name)) found.set(name, { name, api });
    }
  }
  return [...found.values()].sort((one, other) => one.name.localeCompare(other.name));
}

/** Tells which operation is being read: the first in the upper third of the window. */
function watchReading(tell) {
  const visible = new Set();
  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) visible.add(target);
      else visible.delete(target);
    }
    const first = [...document.querySelectorAll('.operation')].find((each) => visible.has(each));
    if (first) tell(first.id);
  }, { rootMargin: '-40px 0px -67% 0px' });
  for (const each of document.querySelectorAll('.operation')) observer.observe(each);
  return () => observer.disconnect();
}

const documents = await Promise.all(DOCUMENTS.map(load));
render(html`<${Page} documents=${documents} />`, document.getElementById('reference'));
