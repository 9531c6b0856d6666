import { hash } from 'node:crypto';

import test from 'ava';

import { checkTable } from '../../src/formats/check-table.ts';
import { runCampaign } from './campaign.ts';
import { builtCorpus, formatNames } from './corpus.ts';
import { describeRound, kindsOf } from './describe.ts';
import { difference } from './difference.ts';
import type { QemuAnswer } from './difference.ts';
import { explainedChecks, isExplained } from './explained.ts';
import { Lane } from './lane.ts';
import { Rounds } from './round.ts';

const limits = { maxVirtualBytes: 2n ** 46n };
const corpus = builtCorpus();
/** The same seeds each time, so that a failure is the change's that was made; `npm run fuzz` runs fresh ones. */
const from = 1;
const rounds = 400;
const never = new AbortController().signal;

/** What these seeds reach, among other things: headers, tables and data of each format that has them. */
const wanted = [
  'format.mismatch', 'polyglot', 'truncated', 'compressed_data', 'raw.size', 'iso.descriptor',
  'qcow2.header', 'qcow2.l1_table', 'qcow2.refcount_block', 'qcow2.l2_table', 'qcow2.overlap',
  'vmdk.header', 'vmdk.descriptor', 'vmdk.footer', 'vmdk.grain_table', 'vmdk.marker', 'vmdk.overlap',
  'vhd.footer', 'vhd.checksum', 'vhd.block', 'vhd.sector_bitmap', 'vhdx.header', 'vhdx.region_table', 'vhdx.metadata', 'vhdx.block',
  'vdi.header', 'vdi.block_table', 'vdi.block_entry', 'vdi.overlap',
];

test.serial(`altered images get a verdict that holds whatever they are (seeds ${from} to ${from + rounds - 1})`, async (t) => {
  const result = await runCampaign({ corpus, limits }, { from, rounds, lanes: 2, roundsPerRequest: 40, signal: never });
  t.deepEqual(result.broken.map(describeRound), []);
  t.is(result.rounds, rounds);
  const reached = new Set(result.outcomes.map(({ outcome }) => outcome));
  t.deepEqual(wanted.filter((check) => !reached.has(check)), []);
  const accepted = result.outcomes.filter(({ outcome }) => outcome === 'accepted').map(({ format }) => format);
  t.deepEqual(Object.values(formatNames).filter((format) => !accepted.includes(format)), []);
});

test.serial('the same seed gives the same round', (t) => {
  const [once, again] = [new Rounds({ corpus, limits }), new Rounds({ corpus, limits })];
  const told = (from: Rounds, seed: number) => {
    const { bytes, memoryBytes: _, ...round } = from.run(seed);
    return { ...round, bytes: hash('sha256', bytes) };
  };
  for (const seed of [7, 8, 4711]) t.deepEqual(told(again, seed), told(once, seed));
});

test.serial('a round that breaks its thread is told, and the rounds beside it are run', async (t) => {
  // What is no qcow2 has no fields to change: the round itself breaks.
  const impossible = { name: 'no qcow2 at all', format: formatNames.qcow2, bytes: new Uint8Array(new SharedArrayBuffer(4)) };
  const lane = new Lane({ corpus: [impossible, ...corpus.filter(({ format }) => format === formatNames.vdi)], limits });
  t.teardown(() => lane.close());
  const { rounds: told, outcomes } = await lane.run({ from: 1, count: 8, keepsBytes: true });
  t.is(told.length, 8);
  const broken = told.filter(({ faults }) => faults.length > 0);
  t.true(broken.length > 0 && broken.length < 8);
  t.true(broken.every(({ faults }) => faults[0]?.startsWith('the thread broke: ')));
  t.is(outcomes.reduce((sum, { count }) => sum + count, 0), 8);
});

const sound = { kind: 'accepted', format: formatNames.qcow2, virtualSizeBytes: 512n, warnings: [], facts: {}, guestDigest: 'a' } as const;
const metadata = { check: 'qcow2.l2_table' };
const damaged = { kind: 'refused', failure: { reason: 'REASON_IMAGE_CORRUPT', stage: '', message: '', metadata, retryable: false } } as const;

type Comparison = readonly [name: string, verdict: typeof sound | typeof damaged, answer: QemuAnswer, expected: string | undefined];

const comparisons: readonly Comparison[] = [
  ['the same disk', sound, { virtualSizeBytes: 512n, guestDigest: 'a' }, undefined],
  ['a disk too large to be compared', sound, { virtualSizeBytes: 512n }, undefined],
  ['another size', sound, { virtualSizeBytes: 1024n, guestDigest: 'a' }, 'other disk: another size'],
  ['other bytes', sound, { virtualSizeBytes: 512n, guestDigest: 'b' }, 'other disk: other bytes'],
  ['a refusal by both', damaged, { failed: 'check', message: '1 errors' }, undefined],
  ['a refusal by qemu-img', sound, { failed: 'info', message: `a\nqemu-img: Could not open '/source': table at 0x1f, 12\n` }, "stricter: info: Could not open '..': table at N, N"],
  ['a refusal by the check alone', damaged, { virtualSizeBytes: 512n, guestDigest: 'a' }, 'laxer: content'],
  ['a crash', damaged, { failed: 'convert', message: 'died of SIGSEGV' }, 'crashed: convert: died of SIGSEGV'],
];

for (const [name, verdict, answer, expected] of comparisons) {
  test(`held against qemu-img: ${name}`, (t) => {
    const found = difference(1, 'qcow2', verdict, answer);
    t.is(found && `${found.kind}: ${found.message}`, expected);
  });
}

test('differences of one kind are told once, with the first seed that showed them', (t) => {
  const told = (seed: number, message: string) => ({ seed, kind: 'stricter', driver: 'vmdk', outcome: 'accepted', message }) as const;
  t.deepEqual(kindsOf([told(3, 'x'), told(4, 'y'), told(5, 'y')]), [{ ...told(4, 'y'), count: 2 }, { ...told(3, 'x'), count: 1 }]);
});

type Judged = Parameters<typeof isExplained>[0];

const explanations: readonly (readonly [name: string, found: Judged, expected: boolean])[] = [
  ['a check that qemu-img does not make of this format', { kind: 'laxer', driver: 'vpc', outcome: 'vhd.sector_bitmap' }, true],
  ['a check that it makes of no format', { kind: 'laxer', driver: 'qcow2', outcome: 'truncated' }, true],
  ['a check that it makes', { kind: 'laxer', driver: 'qcow2', outcome: 'qcow2.refcount' }, false],
  ['a check that it does not make, of another format', { kind: 'laxer', driver: 'qcow2', outcome: 'vhd.sector_bitmap' }, false],
  ['an image that it cannot open', { kind: 'stricter', driver: 'vhdx', outcome: 'accepted' }, true],
  ['an image that it should open', { kind: 'stricter', driver: 'vdi', outcome: 'accepted' }, false],
  ['another disk', { kind: 'other disk', driver: 'raw', outcome: 'accepted' }, false],
  ['a crash over what was accepted', { kind: 'crashed', driver: 'raw', outcome: 'accepted' }, false],
  ['a crash over what was refused', { kind: 'crashed', driver: 'qcow2', outcome: 'qcow2.encryption' }, true],
];

for (const [name, found, expected] of explanations) {
  test(`the page of checks ${expected ? 'explains' : 'does not explain'} ${name}`, (t) => {
    t.is(isExplained(found), expected);
  });
}

test('what the page says of qemu-img is of checks that there are', (t) => {
  t.true(explainedChecks.length > 30);
  t.deepEqual(explainedChecks.filter((name) => !(name in checkTable)), []);
});
