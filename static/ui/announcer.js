/**
 * What a screen reader says of the log: each new message of somebody else, once. The log itself is not live, so
 * earlier messages that are loaded, and one's own, are not read out.
 */
import { html, useRef } from '../vendor/htm-preact-3.1.1.module.js';
import { memo } from './memo.js';
import { isBlank, textOf } from './text.js';

const KEPT = 3;
const MANY = 5; // that many at once are counted, not read
const LONGEST = 300;

/** The messages that came after `lastId` from others, oldest first. */
export function newOnes(messages, lastId, userId) {
  const found = [];
  for (let at = messages.length - 1; at >= 0 && messages[at].id > lastId; at -= 1) {
    const { senderId, deletedAt, system } = messages[at];
    if (senderId !== userId && !deletedAt && !system) found.unshift(messages[at]);
  }
  return found;
}

/** [{key, text}] for messages that came together. */
export function spoken(messages, nameFor) {
  if (messages.length > MANY) return [{ key: messages.at(-1).id, text: `${messages.length} new messages` }];
  return messages.map((message) => {
    const text = textOf(message);
    const shown = text.length > LONGEST ? `${[...text.slice(0, LONGEST)].slice(0, -1).join('')}…` : text;
    return { key: message.id, text: `${nameFor(message.senderId)}: ${isBlank(text) ? 'a message without visible text' : shown}` };
  });
}

export const Announcer = memo(({ messages, userId, nameFor, isReady }) => {
  const told = useRef({ upTo: null, lines: [] });
  const newest = messages.at(-1)?.id ?? 0;
  if (isReady) {
    const { upTo, lines } = told.current;
    const fresh = upTo === null ? [] : spoken(newOnes(messages, upTo, userId), nameFor);
    told.current = { upTo: Math.max(upTo ?? 0, newest), lines: fresh.length ? [...lines, ...fresh].slice(-KEPT) : lines };
  }
  return html`
    <div class="sr-only" role="status" aria-atomic="false" aria-relevant="additions" data-testid="announcer">
      ${told.current.lines.map(({ key, text }) => html`<p key=${key} dir="auto">${text}</p>`)}
    </div>`;
});
