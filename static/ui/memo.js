/** A component that is rendered again only when one of its properties is another value than before. */
import { h } from '../vendor/htm-preact-3.1.1.module.js';

export function isShallowEqual(a, b) {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.is(a[name], b[name]));
}

/** The inner component keeps its own state: that does not pass through here. */
export function memo(component) {
  function shouldUpdate(next) {
    return !isShallowEqual(this.props, next);
  }
  return function Memo(props) {
    this.shouldComponentUpdate = shouldUpdate;
    return h(component, props);
  };
}
