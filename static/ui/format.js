/** Names, colours and times as people read them. */

/**
 * The locale for dates: of the page's own language, so that words never mix; the reader's variant of it if there is
 * one, and the reader's clock (12 or 24 hours) in any case.
 */
export function dateLocale(pageLanguage, readerLanguages = []) {
  const language = pageLanguage.split('-')[0];
  return readerLanguages.find((each) => each.toLowerCase().split('-')[0] === language) ?? pageLanguage;
}

const LOCALE = dateLocale(globalThis.document?.documentElement.lang || 'en', globalThis.navigator?.languages);
const { hourCycle } = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions();
const format = (options) => new Intl.DateTimeFormat(LOCALE, options);

const TIME = format({ hour: '2-digit', minute: '2-digit', hourCycle });
const DAY = format({ weekday: 'long', day: 'numeric', month: 'long' });
const DAY_AND_YEAR = format({ day: 'numeric', month: 'long', year: 'numeric' });
const SHORT_DAY = format({ day: 'numeric', month: 'short' });
const FULL = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle });

const HUES = 12;
const DAY_MS = 86_400_000;

export const time = (iso) => TIME.format(new Date(iso));
export const fullTime = (iso) => FULL.format(new Date(iso));

export function day(date, now = new Date()) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const daysAgo = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (daysAgo === 0) return 'Today';
  if (daysAgo === 1) return 'Yesterday';
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}

export function lastSeen(iso) {
  if (!iso) return 'Offline';
  const date = new Date(iso);
  return `Last seen ${date.toDateString() === new Date().toDateString() ? TIME.format(date) : SHORT_DAY.format(date)}`;
}

export function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0] ?? '').join('').toUpperCase();
}

/** One of twelve colour classes, the same for a user wherever it appears. Neighbouring ids lie far apart. */
export function hue(userId) {
  let hash = 0;
  for (const char of String(userId)) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  return `hue-${(hash * 5) % HUES}`;
}

/** "Ada", "Ada and Grace", "Ada, Grace and 2 others" */
export function listNames(names) {
  if (names.length <= 1) return names.join('');
  if (names.length <= 3) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${names.slice(0, 2).join(', ')} and ${names.length - 2} others`;
}

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
