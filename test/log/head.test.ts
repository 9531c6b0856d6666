import test from 'ava';

import { emptyHead, isSuperseded, judge, type Head, type Judgement } from '../../src/log/head.ts';
import { formatSequence, noPredecessor, parseSequence } from '../../src/log/record.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);
const head: Head = { revision: 7n, hash: a };

const claim = (sequence: string, predecessor: string): { ce_sequence: string; ce_predecessorhash: string } => ({
  ce_sequence: sequence, ce_predecessorhash: predecessor,
});

const judgements: readonly (readonly [title: string, head: Head, claim: ReturnType<typeof claim>, judgement: Judgement])[] = [
  ['the first record of a stream', emptyHead, claim('00000000000000000001', noPredecessor), 'accepted'],
  ['the record that fits the head', head, claim('00000000000000000008', a), 'accepted'],
  ['a copy of the newest record', head, claim('00000000000000000007', b), 'void'],
  ['a copy of the first record', head, claim('00000000000000000001', noPredecessor), 'void'],
  ['a record after a gap', head, claim('00000000000000000009', a), 'void'],
  ['a record after another predecessor', head, claim('00000000000000000008', b), 'void'],
  ['a record after no predecessor', head, claim('00000000000000000008', noPredecessor), 'void'],
  ['a predecessor in capitals', head, claim('00000000000000000008', a.toUpperCase()), 'void'],
  ['a first record with a predecessor', emptyHead, claim('00000000000000000001', a), 'void'],
  ['revision 0', emptyHead, claim('00000000000000000000', noPredecessor), 'void'],
  ['a sequence without leading zeros', head, claim('8', a), 'void'],
  ['a sequence with 21 digits', head, claim('000000000000000000008', a), 'void'],
  ['a sequence with a sign', head, claim('+0000000000000000008', a), 'void'],
  ['a sequence with a space', head, claim(' 0000000000000000008', a), 'void'],
  ['a sequence with a line after it', head, claim('00000000000000000008\n', a), 'void'],
  ['a hexadecimal sequence', head, claim('0x000000000000000008', a), 'void'],
  ['a sequence in other digits', head, claim('0000000000000000000٨', a), 'void'],
  ['an empty sequence', emptyHead, claim('', noPredecessor), 'void'],
];

for (const [title, before, headers, judgement] of judgements) {
  test(`${title} is ${judgement}`, (t) => {
    t.is(judge(before, headers), judgement);
  });
}

const fates: readonly (readonly [title: string, revision: bigint, hash: string, superseded: boolean | undefined])[] = [
  ['beyond the head: nothing is decided', 8n, b, undefined],
  ['at the head, with its hash: it is the head', 7n, a, false],
  ['at the head, with another hash: another one took its place', 7n, b, true],
  ['behind the head: another one took its place, or it would have been recognised when it was the head', 6n, b, true],
];

for (const [title, revision, hash, superseded] of fates) {
  test(`an append ${title}`, (t) => {
    t.is(isSuperseded(head, { ce_sequence: formatSequence(revision) }, hash), superseded);
  });
}

test('a revision and its sequence mean each other', (t) => {
  for (const [revision, sequence] of [[0n, '0'.repeat(20)], [42n, '00000000000000000042'], [2n ** 64n - 1n, '18446744073709551615']] as const) {
    t.deepEqual([formatSequence(revision), parseSequence(sequence)], [sequence, revision]);
  }
});
