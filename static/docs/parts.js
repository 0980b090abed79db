/** What an operation and a schema are shown as. */
import { html } from '../vendor/htm-preact-3.1.1.module.js';
import { at, boundsOf, choices, fieldsOf, schemaName, typeOf } from './schema.js';

/** Paragraphs, in which `code` is code; all other Markdown stays as it was written. */
export function Prose({ text, as = 'p' }) {
  return text.trim().split(/\n{2,}/).filter(Boolean).map((paragraph) => html`
    <${as} class="prose">${paragraph.split(/(`[^`]+`)/).map((piece) =>
      (/^`.+`$/.test(piece) ? html`<code>${piece.slice(1, -1)}</code>` : piece))}<//>`);
}

export function Article({ operation, hidden, Heading = 'h3' }) {
  const { id, kind, name, summary, more, parameters, parts, errors, pushes, api } = operation;
  return html`
    <article class="operation" id=${id} hidden=${hidden} data-testid="operation" aria-labelledby=${`${id}-name`}>
      <${Heading} class="operation-name" id=${`${id}-name`}>
        <a class="anchor" href=${`#${id}`}><${Kind} kind=${kind} /> <span class="name">${breakable(name)}</span></a>
      <//>
      <${Prose} text=${summary} />
      ${more && more !== summary && html`<${Prose} text=${more} />`}
      ${parameters.length > 0 && html`<${Parameters} parameters=${parameters} api=${api} />`}
      ${parts.map((part) => html`<${Part} key=${part.title} part=${part} api=${api} operation=${name} />`)}
      ${pushes.length > 0 && html`
        <h4>Pushes</h4>
        <ul class="codes">${pushes.map((each) => html`<li><a href=${`#push/${each}`}><code>${each}</code></a></li>`)}</ul>`}
      ${errors.length > 0 && html`
        <h4>Errors</h4>
        <ul class="codes">${errors.map((each) => html`<li><code>${each}</code></li>`)}</ul>`}
    </article>`;
}

export function Kind({ kind }) {
  return html`<span class=${`kind kind-${kind.toLowerCase()}`}>${kind}</span>`;
}

/** A long path may break after a slash. */
function breakable(name) {
  return name.split(/(?<=\/)/).flatMap((piece) => [piece, html`<wbr />`]);
}

function Parameters({ parameters, api }) {
  const rows = parameters.map(({ name, in: place, required, schema, description }) =>
    ({ name, place, required, schema: { ...at(api, schema), ...(description && { description }) } }));
  return html`
    <h4>Parameters</h4>
    <${Table} rows=${rows} api=${api} sent label="Parameters" />`;
}

function Part({ part, api, operation }) {
  const { title, note, schema, examples, sent } = part;
  const name = schemaName(schema);
  const rows = schema ? fieldsOf(api, schema) : [];
  return html`
    <h4>${title}${name && rows.length > 0 && html` <span class="model">${name}</span>`}</h4>
    ${note && html`<${Prose} text=${note} />`}
    ${rows.length > 0
      ? html`<${Table} rows=${rows} api=${api} sent=${sent} label=${`${title} of ${operation}`} />`
      : schema && Object.keys(at(api, schema)).length > 0 && html`<p class="type"><${Type} of=${typeOf(api, schema)} /></p>`}
    ${examples.map((each) => html`<${Example} text=${each} />`)}`;
}

/** `sent`: by the client, who has to know what the server requires; else by the server. */
function Table({ rows, api, label, sent = false }) {
  return html`
    <table class="fields" aria-label=${label}>
      <thead class="sr-only"><tr><th scope="col">Name</th><th scope="col">Value</th></tr></thead>
      <tbody>${rows.map((row) => html`<${Row} key=${row.place + row.name} row=${row} api=${api} sent=${sent} />`)}</tbody>
    </table>`;
}

function Row({ row: { name, required, place, schema }, api, sent }) {
  const bounds = boundsOf(api, schema);
  const inside = nested(api, schema);
  const text = schema.description ?? '';
  return html`
    <tr>
      <th scope="row">
        <code>${name}</code>
        ${place && html`<span class="place">${place}</span>`}
        ${sent && required && html`<span class="required">required</span>`}
        ${!sent && !required && html`<span class="place">may be absent</span>`}
      </th>
      <td>
        <p class="type"><${Type} of=${typeOf(api, schema)} />${bounds && [' ', html`<span class="bounds">${bounds}</span>`]}</p>
        <${Prose} text=${text} />
        ${inside.length > 0 && html`<${Table} rows=${inside} api=${api} sent=${sent} label=${`Fields of ${name}`} />`}
      </td>
    </tr>`;
}

/** The fields of an object that has no name of its own, or of a list of them. */
function nested(api, schema) {
  const [only, ...others] = choices(schema);
  if (only && others.length === 0) return nested(api, only);
  if (schema.items) return nested(api, schema.items);
  return schemaName(schema) ? [] : fieldsOf(api, schema);
}

function Type({ of }) {
  return of.map((piece) =>
    (typeof piece === 'string' ? piece : html`<a href=${`#schema/${piece.link}`}>${piece.link}</a>`));
}

const KEY = /("(?:[^"\\]|\\.)*")(?=\s*:)/;

/** JSON, wrapped rather than scrolled; keys stand out. */
function Example({ text }) {
  return html`
    <pre class="example"><code>${text.split(KEY).map((piece, place) =>
      (place % 2 === 1 ? html`<span class="key">${piece}</span>` : piece))}</code></pre>`;
}

export function Schema({ name, api }) {
  const schema = api.components.schemas[name];
  const rows = fieldsOf(api, schema);
  return html`
    <article class="operation" id=${`schema/${name}`} data-testid="schema" aria-labelledby=${`schema/${name}-name`}>
      <h3 class="operation-name" id=${`schema/${name}-name`}>
        <a class="anchor" href=${`#schema/${name}`}><span class="name">${name}</span></a>
      </h3>
      <${Prose} text=${schema.description ?? ''} />
      <${Table} rows=${rows} api=${api} label=${`Fields of ${name}`} />
    </article>`;
}
