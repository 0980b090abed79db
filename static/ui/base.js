/** Where the server is: the address under which it served this file, without a slash at its end. */
export const BASE = new URL('../..', import.meta.url).href.replace(/\/$/, '');
