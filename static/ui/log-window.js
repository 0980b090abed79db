/**
 * Which of the loaded messages are in the DOM: at most MOST, around the place of the reader.
 *
 * A window is {firstId, lastId}. firstId null: from the first loaded message on, earlier ones that are loaded later
 * included. lastId null: up to the newest, the ones that will come included.
 */
export const MOST = 500;
export const STEP = 100;

export const WHOLE = { firstId: null, lastId: null };

/** The index of the first message with this id or a higher one. */
function indexOf(messages, id) {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle].id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

const toWindow = (messages, start, end) => ({
  firstId: start <= 0 ? null : messages[start].id,
  lastId: end >= messages.length ? null : messages[end - 1].id,
});

/** {start, end}: the part of `messages` that the window shows. */
export function rangeOf(messages, { firstId, lastId }) {
  const start = firstId === null ? 0 : indexOf(messages, firstId);
  const end = lastId === null ? messages.length : indexOf(messages, lastId + 1);
  // What the window showed is gone, as after a reset: the newest are shown instead.
  if (start >= end) return { start: Math.max(0, messages.length - (MOST - STEP)), end: messages.length };
  return { start, end };
}

/**
 * The window within its limit. A reader at the end keeps the newest, and some room is made at once, so that not every
 * message that comes takes one away; a reader elsewhere keeps what is shown from its first message on.
 */
export function fit(messages, window, { atEnd, most = MOST }) {
  const { start, end } = rangeOf(messages, window);
  if (end - start <= most) return toWindow(messages, start, end);
  return atEnd ? atTheEnd(messages) : toWindow(messages, start, start + most);
}

export const atTheEnd = (messages) => toWindow(messages, Math.max(0, messages.length - (MOST - STEP)), messages.length);

/** The window moved towards the earlier messages by a step. */
export function earlier(messages, window, most = MOST) {
  const { start, end } = rangeOf(messages, window);
  const from = Math.max(0, start - STEP);
  return toWindow(messages, from, Math.min(end, from + most));
}

/** The window moved towards the later messages by a step. */
export function later(messages, window, most = MOST) {
  const { start, end } = rangeOf(messages, window);
  const to = Math.min(messages.length, end + STEP);
  return toWindow(messages, Math.max(start, to - most), to);
}
