/** What the tests use of node:test, in a browser. */
const tests = [];

export default function test(name, run) {
  tests.push({ name, run });
}
export { test };

const fn = (implementation = () => {}) => {
  const calls = [];
  const called = (...args) => {
    calls.push({ arguments: args });
    return implementation(...args);
  };
  return Object.assign(called, { mock: { calls } });
};

/** A test's own context: what it replaces is put back behind it. */
class Context {
  #undo = [];

  mock = {
    fn,
    method: (object, name, implementation) => {
      const before = object[name];
      object[name] = fn(implementation ?? before);
      this.#undo.push(() => { object[name] = before; });
      return object[name];
    },
  };

  after(run) { this.#undo.push(run); }
  async end() { for (const undo of this.#undo.reverse()) await undo(); }
}

export async function run() {
  const failures = [];
  for (const { name, run: body } of tests) {
    const context = new Context();
    try {
      await body(context);
    } catch (error) {
      failures.push(`${name}\n${error?.stack ?? error}`);
    }
    await context.end();
  }
  return { passed: tests.length - failures.length, failures };
}

// What the tests use of Node besides.
globalThis.setImmediate ??= (callback) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
};
