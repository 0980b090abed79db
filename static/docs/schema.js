/** JSON Schema in words: the fields of an object, the type of a value, its bounds. */

/** What a reference stands for; anything else is itself. */
export function at(api, given) {
  let found = given;
  for (let steps = 0; found?.$ref && steps < 20; steps += 1) {
    const path = found.$ref.replace(/^#\//, '').split('/');
    found = path.reduce((inside, key) => inside?.[decodeURIComponent(key).replace(/~1/g, '/').replace(/~0/g, '~')], api);
  }
  return found ?? {};
}

/** The name of the schema that a reference leads to, if it is one of the document's own schemas. */
export function schemaName(given) {
  return /^#\/components\/schemas\/(.+)$/.exec(given?.$ref ?? '')?.[1];
}

/** `{name, required, schema}` of all fields, those of `allOf` included. */
export function fieldsOf(api, given) {
  const schema = at(api, given);
  const required = new Set(schema.required ?? []);
  const own = Object.entries(schema.properties ?? {}).map(([name, each]) =>
    ({ name, required: required.has(name), schema: each }));
  return [...(schema.allOf ?? []).flatMap((each) => fieldsOf(api, each)), ...own];
}

/** The codes of a refusal: the values of its `error.code`. */
export function codesOf(api, schema) {
  const last = (given, name) => fieldsOf(api, given ?? {}).findLast((each) => each.name === name)?.schema;
  return at(api, last(last(schema, 'error'), 'code')).enum ?? [];
}

/** The alternatives of a schema, without null. */
export function choices(schema) {
  return (schema.anyOf ?? schema.oneOf ?? []).filter(({ type }) => type !== 'null');
}

/**
 * The type in words, as a list of texts and `{link}` to schemas.
 * @returns {(string | {link: string})[]}
 */
export function typeOf(api, given) {
  const name = schemaName(given);
  const schema = at(api, given);
  const shown = name && isObject(schema) ? [{ link: name }] : plainType(api, schema);
  return nullable(schema) ? [...shown, ' or null'] : shown;
}

/** Whether it is worth a table of its own. */
export function isObject(schema) {
  return Boolean(schema.properties || schema.allOf);
}

function plainType(api, schema) {
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.enum) return [schema.enum.map((each) => JSON.stringify(each)).join(' or ')];
  const several = choices(schema);
  if (several.length > 0) return joined(unique(several.map((each) => typeOf(api, each))), ' or ');
  if (schema.allOf?.length === 1) return typeOf(api, schema.allOf[0]);
  const types = [schema.type ?? 'any value'].flat().filter((each) => each !== 'null');
  if (types.includes('array')) return ['list', ...(schema.items ? [' of ', ...typeOf(api, schema.items)] : [])];
  return [types.join(' or ') + (schema.format ? ` (${schema.format})` : '')];
}

function nullable(schema) {
  return [schema.type].flat().includes('null')
    || (schema.anyOf ?? schema.oneOf ?? []).some(({ type }) => type === 'null');
}

function unique(types) {
  return [...new Map(types.map((each) => [JSON.stringify(each), each])).values()];
}

function joined(lists, between) {
  return lists.flatMap((each, place) => (place === 0 ? each : [between, ...each]));
}

/** The bounds and the default in words: `1 to 200; 50 when absent`. */
export function boundsOf(api, given) {
  const schema = at(api, given);
  const inside = [schema, ...choices(schema).map((each) => at(api, each))];
  const words = unique(inside.flatMap((each) => [
    range(each.minimum ?? each.exclusiveMinimum, each.maximum, ''),
    range(each.minLength, each.maxLength, ' characters'),
    range(each.minItems, each.maxItems, ' items'),
  ]).filter(Boolean));
  if (schema.default !== undefined && schema.default !== null) words.push(`${JSON.stringify(schema.default)} when absent`);
  return words.join('; ');
}

function range(low, high, of) {
  if (high === undefined || high >= Number.MAX_SAFE_INTEGER) return low === undefined ? '' : `${count(low)}${of} or more`;
  return low === undefined || low === 0 && of ? `up to ${count(high)}${of}` : `${count(low)} to ${count(high)}${of}`;
}

function count(number) {
  return number.toLocaleString('en');
}
