// Prints what the official parser finds wrong with an AsyncAPI document: node asyncapi.mjs FILE
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
const found = diagnostics.filter((each) => each.severity <= 1);
console.log(JSON.stringify({ parsed: Boolean(document), found }, null, 1));
