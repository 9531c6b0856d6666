import { gzipSync, zstdCompressSync } from 'node:zlib';

import test from 'ava';

import { noise } from '../formats/build/noise.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { byNode, commands, compress, mixedContent } from './compress.ts';
import { decodeAll } from './decode-all.ts';

const content = mixedContent();
const contents: readonly (readonly [string, Buffer])[] = [
  ['mixed content', content], ['one byte', Buffer.from('x')], ['a megabyte of zeros', Buffer.alloc(1 << 20)], ['noise', noise(100_000, 9)],
];

for (const [codec, pack] of byNode) {
  test(`${codec} by Node.js is decoded`, async (t) => {
    for (const [name, bytes] of contents) {
      const outcome = await decodeAll(codec, pack(bytes));
      if (outcome.kind === 'refused') return t.fail(`${name}: ${outcome.message}`);
      t.true(outcome.bytes.equals(bytes), name);
    }
  });
}

if (hasTool('compressors')) {
  for (const [codec, command] of commands) {
    test(`what "${command}" makes is decoded`, async (t) => {
      for (const [name, bytes] of contents) {
        const outcome = await decodeAll(codec, compress(command, bytes));
        if (outcome.kind === 'refused') return t.fail(`${name}: ${outcome.message}`);
        t.true(outcome.bytes.equals(bytes), name);
      }
    });
  }

  for (const [codec, command] of [['gzip', 'gzip'], ['xz', 'xz'], ['zstd', 'zstd'], ['bzip2', 'bzip2']] as const) {
    test(`several members of ${codec}, one of them empty, are one content`, async (t) => {
      const parts = [content.subarray(0, 700_000), Buffer.alloc(0), content.subarray(700_000)];
      const outcome = await decodeAll(codec, Buffer.concat(parts.map((part) => compress(command, part))));
      if (outcome.kind === 'refused') return t.fail(outcome.message);
      t.true(outcome.bytes.equals(content));
      if (codec !== 'xz') t.is(outcome.facts['members'], '3');
    });

    test(`something behind the end of ${codec} is refused, and where it begins is said`, async (t) => {
      const packed = compress(command, content.subarray(0, 100_000));
      for (const garbage of ['x', 'garbage', '\0x', '\xff'.repeat(70_000), 'QFI\xfb\0\0\0\x03']) {
        const outcome = await decodeAll(codec, Buffer.concat([packed, Buffer.from(garbage, 'latin1')]));
        if (outcome.kind === 'decoded') return t.fail(`"${garbage.slice(0, 10)}" was accepted`);
        const others = codec === 'xz' ? ['compressed.corrupt', 'compressed.truncated'] : [];
        t.true(['compressed.trailing_data', ...others].includes(outcome.check), outcome.message);
        if (codec !== 'xz') t.is(outcome.metadata['offset'], String(packed.length));
      }
    });
  }

  test('padding of xz is part of the format', async (t) => {
    const packed = compress('xz', content);
    const outcome = await decodeAll('xz', Buffer.concat([packed, Buffer.alloc(8), packed, Buffer.alloc(4)]));
    t.is(outcome.kind === 'decoded' && outcome.bytes.length, 2 * content.length);
    const odd = await decodeAll('xz', Buffer.concat([packed, Buffer.alloc(3)]));
    t.is(odd.kind, 'refused');
  });

  test('the check sum that a maker left out is told', async (t) => {
    const sums = [];
    for (const [codec, command] of [['xz', 'xz --check=none'], ['xz', 'xz'], ['zstd', 'zstd --no-check'], ['zstd', 'zstd']] as const) {
      const outcome = await decodeAll(codec, compress(command, content));
      sums.push(outcome.kind === 'decoded' ? outcome.facts['checksum'] : outcome.message);
    }
    t.deepEqual(sums, ['none', 'crc64', 'none', 'xxh64']);
  });

  test('xz with a check sum or a filter that is not decoded is refused by name', async (t) => {
    for (const command of ['xz --check=sha256', 'xz --x86 --lzma2']) {
      const outcome = await decodeAll('xz', compress(command, content));
      t.is(outcome.kind === 'refused' ? outcome.check : 'decoded', 'compressed.unsupported', command);
    }
  });

  test('a window or a dictionary beyond the bound is refused before memory is taken', async (t) => {
    const big = Buffer.alloc(1 << 20);
    const claims = [['zstd', 'zstd --ultra --long=31 --no-content-size', 2 ** 31], ['xz', 'xz --lzma2=preset=1,dict=1GiB', 2 ** 30]] as const;
    for (const [codec, command, value] of claims) {
      const outcome = await decodeAll(codec, compress(command, big));
      if (outcome.kind === 'decoded') return t.fail(command);
      t.like(outcome, { check: 'compressed.memory', metadata: { value: String(value) } }, command);
    }
  });
}

test('zeros behind gzip are padding', async (t) => {
  const packed = gzipSync(content);
  for (const count of [1, 8, 512, 300_000]) {
    const outcome = await decodeAll('gzip', Buffer.concat([packed, Buffer.alloc(count)]));
    t.true(outcome.kind === 'decoded' && outcome.bytes.equals(content));
  }
});

test('a gzip header may hold a name, a comment, an extra field and its own check sum', async (t) => {
  const plain = gzipSync(content).subarray(10);
  const extra = Buffer.alloc(60_000, 1);
  const head = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 3]), Buffer.from([extra.length & 0xff, extra.length >>> 8]), extra,
    Buffer.from('disk.raw\0a comment\0'),
  ]);
  const outcome = await decodeAll('gzip', Buffer.concat([head, plain]));
  t.true(outcome.kind === 'decoded' && outcome.bytes.equals(content));
  const endless = await decodeAll('gzip', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.alloc(300_000, 'x')]));
  t.is(endless.kind === 'refused' && endless.check, 'compressed.corrupt');
});

test('skippable frames of zstd are skipped, and pzstd begins with one', async (t) => {
  const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
  const packed = zstdCompressSync(content);
  const outcome = await decodeAll('zstd', Buffer.concat([skippable, packed, skippable, packed, skippable]));
  t.true(outcome.kind === 'decoded' && outcome.bytes.equals(Buffer.concat([content, content])));
});

test('a decoder claims its memory before it decodes', async (t) => {
  for (const [codec, pack] of byNode) {
    const outcome = await decodeAll(codec, pack(content));
    t.true(outcome.kind === 'decoded' && outcome.claims.length === 1 && outcome.claims[0]! > 30_000 && outcome.claims[0]! <= 128 * 2 ** 20);
  }
});
