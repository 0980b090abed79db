/** Message text for display. A message is never HTML: it becomes text nodes, and links made as elements. */
import { html } from '../vendor/htm-preact-3.1.1.module.js';

const URL_PATTERN = /https?:\/\/[^\s<>"'`]+/gi;
const TRAILING_PUNCTUATION = /[.,;:!?)\]}]+$/;

function isWebAddress(text) {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/** Splits a text into strings and {href} parts. */
export function findLinks(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    const href = match[0].replace(TRAILING_PUNCTUATION, '');
    if (!isWebAddress(href)) continue;
    parts.push(text.slice(end, match.index), { href });
    end = match.index + href.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== '');
}

export function MessageText({ text }) {
  return findLinks(text).map((part) => (typeof part === 'string'
    ? part
    : html`<a href=${part.href} target="_blank" rel="noopener noreferrer nofollow">${part.href}</a>`));
}
