// static/ui/text.js: what of a message is a link, what is nothing to see, and what a hostile text costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findLinks, isBlank, partsOf } from '../../../static/ui/text.js';

const hrefs = (text) => findLinks(text).filter((part) => part.href).map(({ href }) => href);
const shown = (text) => findLinks(text).map((part) => (typeof part === 'string' ? part : part.text ?? part.href)).join('');

test('a web address in a sentence is a link without the sentence\'s full stop', () => {
  assert.deepEqual(
    findLinks('See https://example.com/a.'),
    ['See ', { href: 'https://example.com/a' }, '.'],
  );
});

const LINKS = {
  'balanced brackets stay': ['https://en.wikipedia.org/wiki/Rust_(programming_language)', ['https://en.wikipedia.org/wiki/Rust_(programming_language)']],
  'brackets around an address do not': ['(see https://example.com/a_(b)).', ['https://example.com/a_(b)']],
  'nor does an open one that nothing closes': ['https://example.com/a(b', ['https://example.com/a']],
  'an IPv6 host has its brackets': ['http://[::1]:8080/x', ['http://[::1]:8080/x']],
  'Markdown links are found inside their brackets': ['[x](https://example.com/a_(b))', ['https://example.com/a_(b)']],
  'a CJK full stop ends it': ['https://example.com/a。', ['https://example.com/a']],
  'a CJK comma ends it': ['见 https://example.com/docs，谢谢', ['https://example.com/docs']],
  'CJK brackets end it': ['（https://example.com/a）', ['https://example.com/a']],
  'CJK letters belong to it': ['https://example.com/文档', ['https://example.com/文档']],
  'quotes around it stay outside': ['"https://example.com/a" “https://example.com/b” «https://example.com/c»', ['https://example.com/a', 'https://example.com/b', 'https://example.com/c']],
  'single quotes too': ["'https://example.com/a','https://example.com/b'", ['https://example.com/a', 'https://example.com/b']],
  'an apostrophe inside stays': ["https://example.com/Schrödinger's_cat", ["https://example.com/Schrödinger's_cat"]],
  'trailing punctuation of all kinds goes': ['https://example.com/a?!...', ['https://example.com/a']],
  'emphasis goes': ['**https://example.com/a**', ['https://example.com/a']],
  'www is enough': ['go to www.example.com/x.', ['https://www.example.com/x']],
  'www in a word or a path is not': ['awww.example.com ftp://www.example.com', []],
  'www without a domain is not': ['www. www.x', []],
  'a mail address': ['mail ada.l+x@example.co.uk, please', ['mailto:ada.l+x@example.co.uk']],
  'a mail address in CJK prose': ['联系 ada@example.com谢谢', ['mailto:ada@example.com']],
  'a handle is no mail address': ['@ada @ada@example.social a@b', []],
  'an address inside an address is one link': ['https://example.com/?to=ada@example.com&see=www.example.org', ['https://example.com/?to=ada@example.com&see=www.example.org']],
  'international names': ['https://münchen.de/straße bob@münchen.de', ['https://münchen.de/straße', 'mailto:bob@münchen.de']],
  'upper case': ['HTTPS://EXAMPLE.COM', ['HTTPS://EXAMPLE.COM']],
  'a character that turns the direction ends it': ['https://example.com/\u202egpj.exe', ['https://example.com/']],
  'no scheme but http, https and mailto': ['javascript:alert(1) data:text/html,x vbscript:x file:///etc/passwd ftp://example.com JaVaScRiPt://www.example.com', []],
  'a script is no link, what stands in it may be': ['javascript:alert(1)//https://example.org', ['https://example.org']],
  'no host, no link': ['http:// https://. http://%', []],
};

for (const [rule, [text, wanted]] of Object.entries(LINKS)) {
  test(`links: ${rule}`, () => {
    assert.deepEqual(hrefs(text), wanted);
    assert.equal(shown(text), text);
  });
}

const HOSTILE = {
  'closing brackets': (n) => `http://x/${')'.repeat(n)}a`,
  'opening brackets': (n) => `http://x/${'('.repeat(n)}`,
  'addresses that open brackets': (n) => 'http://x/('.repeat(n / 10),
  'nested brackets': (n) => `http://x/${'('.repeat(n / 2)}${')'.repeat(n / 2)}`,
  'trailing punctuation': (n) => `http://x/${'.,;:!?'.repeat(n / 6)}a`,
  'schemes': (n) => 'http://'.repeat(n / 7),
  'broken hosts': (n) => 'http://%. '.repeat(n / 10),
  'many addresses': (n) => 'http://x/a '.repeat(n / 11),
  'www': (n) => 'www.'.repeat(n / 4),
  'at signs': (n) => 'a@'.repeat(n / 2),
  'a long local part': (n) => `${'a'.repeat(n)}@`,
  'long local parts': (n) => `${'a'.repeat(64)}@`.repeat(n / 65),
  'labels': (n) => `a@${'a.'.repeat(n / 2)}`,
  'hyphens': (n) => `a@${'-'.repeat(n)}`,
  'zero width': (n) => '\u200b'.repeat(n),
  'words': (n) => 'word '.repeat(n / 5),
};

/** The best of several runs: what else the machine does only ever adds. */
function cost(text) {
  let best = Infinity;
  for (let run = 0; run < 9; run += 1) {
    const start = performance.now();
    findLinks(text);
    isBlank(text);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

for (const [name, make] of Object.entries(HOSTILE)) {
  test(`sixteen times the text costs about sixteen times as much, not 256: ${name}`, () => {
    cost(make(20_000)); // compiled by now
    const ratio = cost(make(320_000)) / cost(make(20_000));
    assert.ok(ratio < 80, `${ratio}`);
  });
}

test('a message is looked through once, however often it is shown', () => {
  let reads = 0;
  const message = { get message() { reads += 1; return 'see https://example.com'; } };
  assert.equal(partsOf(message), partsOf(message));
  assert.equal(reads, 1);
});

test('a text of invisible characters only is blank', () => {
  for (const text of ['', ' \n\t', '\u200b\u2060', '\ufeff', '\u3164', '\u2800', '\ufe0f', '\u00ad\u200d']) assert.ok(isBlank(text), JSON.stringify(text));
  for (const text of ['.', '\u200bx', '👨‍👩‍👧', '❤️', '1️⃣', '🏴󠁧󠁢󠁳󠁣󠁴󠁿']) assert.ok(!isBlank(text), text);
});
