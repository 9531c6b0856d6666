import { hash } from 'node:crypto';

import test from 'ava';

import { decodePageToken, encodePageToken, type PageKey } from '../../../src/api/lists/page-token.ts';

const binding = ['lehr.v1.TaskService/ListTasks', 'blue', 'state = STATE_RUNNING', 'create_time', 'desc'];
const key: PageKey = { value: '1767225600000', id: '7d9c1f7e-31a5-5d0e-8a64-0d0b5c1f2e3a' };
const token = encodePageToken(binding, key);

const keys: readonly PageKey[] = [key, { value: '', id: '' }, { value: '猫 "x" \\ \n 😀', id: 'i' }, { value: '猫'.repeat(255), id: key.id }];

for (const [index, each] of keys.entries()) {
  test(`a token keeps its key, whatever is in it: ${index}`, (t) => {
    const opaque = encodePageToken(binding, each);
    t.deepEqual(decodePageToken(binding, opaque), each);
    t.regex(opaque, /^[A-Za-z0-9_-]+$/);
  });
}

test('a token is the same on every node', (t) => {
  t.is(encodePageToken([...binding], { ...key }), token);
});

for (const part of binding.keys()) {
  test(`a token is foreign where part ${part} of its binding is another`, (t) => {
    t.is(decodePageToken(binding.with(part, 'other'), token), undefined);
  });
}

test('parts of a binding do not run into one another', (t) => {
  t.is(decodePageToken(['a', 'bc'], encodePageToken(['ab', 'c'], key)), undefined);
  t.is(decodePageToken(['a', 'b'], encodePageToken(['a', 'b', ''], key)), undefined);
});

test('a damaged token is none, whichever bit is damaged', (t) => {
  const bytes = Buffer.from(token, 'base64url');
  const taken = Array.from({ length: bytes.length * 8 }, (_, bit) => bit).filter((bit) => {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return decodePageToken(binding, damaged.toString('base64url')) !== undefined;
  });
  t.deepEqual(taken, []);
});

const foreign: readonly (readonly [title: string, token: string])[] = [
  ['empty', ''],
  ['a word', 'next'],
  ['cut short', token.slice(0, -4)],
  ['longer than it was', `${token}AAAA`],
  ['spelled with padding', `${token}=`],
  ['with a space before it', ` ${token}`],
  ['with a line after it', `${token}\n`],
  ['a megabyte', 'A'.repeat(1_048_576)],
];

for (const [title, each] of foreign) {
  test(`a token that is ${title} is none`, (t) => {
    t.is(decodePageToken(binding, each), undefined);
  });
}

/** A token as somebody could make it who knows how: the check is no signature. */
const forge = (body: string, version = 1): string => {
  const check = hash('sha256', JSON.stringify([version, ...binding]) + body, 'buffer').subarray(0, 12);
  return Buffer.concat([Buffer.from([version]), check, Buffer.from(body)]).toString('base64url');
};

test('a token made by hand is taken when it has a key', (t) => {
  t.is(forge(JSON.stringify([key.value, key.id])), token);
});

for (const body of ['', '{', 'null', '{}', '[]', '["a"]', '["a","b","c"]', '[1,"b"]', '["a",null]', '[["a"],"b"]']) {
  test(`a token made by hand with the key ${body || 'of no bytes'} is none`, (t) => {
    t.is(decodePageToken(binding, forge(body)), undefined);
  });
}

test('a token of another version is none', (t) => {
  t.is(decodePageToken(binding, forge(JSON.stringify([key.value, key.id]), 2)), undefined);
});
