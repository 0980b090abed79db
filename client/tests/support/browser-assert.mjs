/** What the tests use of node:assert/strict, in a browser. */
const shown = (value) => JSON.stringify(value, (_, each) => (each === undefined ? 'undefined' : each)) ?? String(value);

function fail(message) {
  throw new Error(typeof message === 'string' ? message : message?.message ?? 'failed');
}

const isObject = (value) => typeof value === 'object' && value !== null;

function same(a, b) {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map || a instanceof Set) return same([...a], [...b]);
  if (a instanceof Date) return a.getTime() === b.getTime();
  const [ours, theirs] = [Object.keys(a), Object.keys(b)];
  return ours.length === theirs.length && ours.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** Whether an error is as `expected` says: a class, a pattern, or an object with some of its properties. */
function fits(error, expected) {
  if (expected === undefined) return;
  if (expected instanceof RegExp) return void assert.match(String(error), expected);
  if (typeof expected === 'function') return void assert(error instanceof expected, `another error: ${error}`);
  for (const [key, value] of Object.entries(expected)) {
    if (value instanceof RegExp) assert.match(String(error[key]), value);
    else assert.deepEqual(error[key], value);
  }
}

export default function assert(value, message = `${shown(value)} is not true`) {
  if (!value) fail(message);
}

Object.assign(assert, {
  ok: assert,
  fail,
  equal: (a, b, message) => assert(Object.is(a, b), message ?? `${shown(a)} is not ${shown(b)}`),
  notEqual: (a, b, message) => assert(!Object.is(a, b), message ?? `${shown(a)} is the same`),
  deepEqual: (a, b, message) => assert(same(a, b), message ?? `${shown(a)} is not ${shown(b)}`),
  match: (text, pattern) => assert(pattern.test(text), `${text} does not fit ${pattern}`),
  throws(run, expected) {
    try {
      run();
    } catch (error) {
      return fits(error, expected);
    }
    return fail('nothing was thrown');
  },
  async rejects(promise, expected) {
    const error = await Promise.resolve(typeof promise === 'function' ? promise() : promise).then(() => null, (caught) => caught);
    assert(error !== null, 'nothing was rejected');
    fits(error, expected);
  },
});
