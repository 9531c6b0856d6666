import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync, constants } from 'node:zlib';

import type { StreamCodec } from '../../src/formats/wrapper.ts';
import { noise } from '../formats/build/noise.ts';

/** Runs a compressor of the system over `input`. */
export function compress(command: string, input: Uint8Array): Buffer {
  const [program = '', ...args] = command.split(' ');
  return execFileSync(program, [...args, '-c'], { input, maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** The commands that make each format, with options that change its shape. */
export const commands: readonly (readonly [StreamCodec, string])[] = [
  ['gzip', 'gzip -1'], ['gzip', 'gzip -9'],
  ['xz', 'xz -0'], ['xz', 'xz -6'], ['xz', 'xz -9e'], ['xz', 'xz --check=crc32'], ['xz', 'xz --check=none'], ['xz', 'xz --block-size=65536'],
  ['xz', 'xz --lzma2=preset=6,lc=0,lp=4,pb=4'],
  ['zstd', 'zstd -1'], ['zstd', 'zstd -19'], ['zstd', 'zstd --no-check'], ['zstd', 'zstd --long=27'], ['zstd', 'zstd -T2'], ['zstd', 'zstd --ultra -22'],
  ['bzip2', 'bzip2 -1'], ['bzip2', 'bzip2 -9'],
];

/** What node:zlib makes, for machines without the programs. */
export const byNode: readonly (readonly [StreamCodec, (input: Uint8Array) => Buffer])[] = [
  ['gzip', (input: Uint8Array): Buffer => gzipSync(input)],
  ['zstd', (input: Uint8Array): Buffer => zstdCompressSync(input, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
];

/** A disk of many kinds of content: text, noise, long runs of one byte, a pattern, and nothing. */
export function mixedContent(): Buffer {
  const text = Buffer.from(Array.from({ length: 20_000 }, (_, index) => `line ${(index * 7919) % 1000} of a file\n`).join(''));
  return Buffer.concat([
    Buffer.alloc(300_001), text, noise(200_000, 5), Buffer.alloc(70_000, 0xff), Buffer.alloc(3, 7), Buffer.alloc(4, 8), Buffer.alloc(5, 9),
    Buffer.alloc(259, 1), Buffer.alloc(260, 2), Buffer.alloc(600_000, 'abcdefghij'), Buffer.from([0]),
  ]);
}
