/** Message text for display. A message is never HTML: it becomes text nodes, and links made as elements. */
import { html } from '../vendor/htm-preact-3.1.1.module.js';

const LINK_START = /https?:\/\/|www\.|[a-z0-9_+-]@/gi;
// White space, quotation marks, brackets and full stops of CJK prose, and what changes direction or is not seen.
const LINK_END = /[\s<>"`“”„«»‘’\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u3000-\u3004\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufe10-\ufe1f\ufe30-\ufe6f]/u;
const SENTENCE_END = new Set('.,;:!?\'*_~…·—–|&');
const CLOSING = { '(': ')', '[': ']', '{': '}' };
const LETTER_OR_DIGIT = /[a-z0-9]/i;

const MAIL_LOCAL_MAX = 64;
const MAIL_LOCAL = /[a-z0-9._+-]/i;
const MAIL_DOMAIN = /(?:[\p{L}\p{N}-]{1,63}\.){1,8}(?:xn--[a-z0-9-]{1,59}|[a-z]{2,63}|\p{L}{2,63})(?![a-z0-9-])/iuy;

const INVISIBLE_ONLY = /^[\s\p{Default_Ignorable_Code_Point}\p{Cc}\u2800\ufff9-\ufffb]*$/u;

/** True for a text in which there is nothing to see: white space, zero-width and control characters. */
export const isBlank = (text) => INVISIBLE_ONLY.test(text);

/** `canParse` is a hundred times as fast as an exception; an older browser links what it cannot check. */
const isAddress = (text) => URL.canParse?.(text) ?? true;

/**
 * Where the address that starts at `start` ends: {end, scanned}. One pass: brackets stay while they are balanced, and
 * an open one that nothing closes is not part of the address. `scanned` is where the search goes on.
 */
function addressEnd(text, start, from) {
  const quoted = text[start - 1] === "'";
  const open = [];
  let at = from;
  for (; at < text.length; at += 1) {
    const char = text[at];
    if (LINK_END.test(char) || (quoted && char === "'")) break;
    if (CLOSING[char]) open.push({ closing: CLOSING[char], at });
    else if (char === ')' || char === ']' || char === '}') {
      if (open.at(-1)?.closing !== char) break;
      open.pop();
    }
  }
  let end = open.length ? open[0].at : at;
  while (end > from && SENTENCE_END.has(text[end - 1])) end -= 1;
  return { end, scanned: at };
}

function webLink(text, start, mark) {
  if (LETTER_OR_DIGIT.test(text[start - 1] ?? '')) return null;
  const isBare = mark.toLowerCase() === 'www.';
  if (isBare && /[\p{L}\p{N}_./:@-]/u.test(text[start - 1] ?? '')) return { scanned: start + mark.length };
  const { end, scanned } = addressEnd(text, start, start + mark.length);
  const shown = text.slice(start, end);
  if (isBare) {
    const hasDomain = /^[\p{L}\p{N}-]{1,63}\.[\p{L}\p{N}]/u.test(shown.slice(mark.length));
    const href = `https://${shown}`;
    return { start, end, scanned, part: hasDomain && isAddress(href) && { href, text: shown } };
  }
  return { start, end, scanned, part: isAddress(shown) && { href: shown } };
}

function mailLink(text, at, floor) {
  let start = at;
  while (start > floor && at - start <= MAIL_LOCAL_MAX && MAIL_LOCAL.test(text[start - 1])) start -= 1;
  const before = text[start - 1];
  if (at - start > MAIL_LOCAL_MAX || before === '@' || before === '/') return null;
  while (start < at && '.+-'.includes(text[start])) start += 1;
  if (start === at || text[at - 1] === '.') return null;
  MAIL_DOMAIN.lastIndex = at + 1;
  const domain = MAIL_DOMAIN.exec(text)?.[0];
  if (!domain) return null;
  const end = at + 1 + domain.length;
  const address = text.slice(start, end);
  return { start, end, scanned: end, part: { href: `mailto:${address}`, text: address } };
}

/**
 * Splits a text into strings and links: {href}, or {href, text} where what is shown is not the address itself. Each
 * character is looked at a bounded number of times, whatever the text.
 */
export function findLinks(text) {
  const parts = [];
  let done = 0;
  LINK_START.lastIndex = 0;
  for (let found = LINK_START.exec(text); found; found = LINK_START.exec(text)) {
    const [mark] = found;
    const link = mark.endsWith('@') ? mailLink(text, found.index + 1, done) : webLink(text, found.index, mark);
    if (!link) continue;
    if (link.part) {
      parts.push(text.slice(done, link.start), link.part);
      done = link.end;
    }
    LINK_START.lastIndex = link.scanned;
  }
  return [...parts, text.slice(done)].filter((part) => part !== '');
}

export const textOf = (message) => message.message ?? message.content ?? '';

const found = new WeakMap();

/** The parts of a message's text, looked for once: a message object never changes. */
export function partsOf(message) {
  if (!found.has(message)) found.set(message, findLinks(textOf(message)));
  return found.get(message);
}

export function MessageText({ message }) {
  return partsOf(message).map((part) => (typeof part === 'string'
    ? part
    : html`<a href=${part.href} target="_blank" rel="noopener noreferrer nofollow">${part.text ?? part.href}</a>`));
}
