import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

import { readOva } from '../../src/archives/ova.ts';
import type { OvaDisk } from '../../src/archives/ova.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import { MemoryReader } from '../formats/build/memory-reader.ts';
import { randomNumbers } from '../formats/build/noise.ts';
import { badOvas } from './bad-ovas.ts';
import { buildOva, buildTar, descriptor, manifestOf } from './build-ova.ts';

const seed = Number(process.env['LEHR_TEST_SEED'] ?? 20_261_127);

function read(ova: Buffer): OvaDisk {
  const steps = readOva(new MemoryReader(ova));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function refusalOf(ova: Buffer): ImageRefusedError | undefined {
  try {
    read(ova);
    return undefined;
  } catch (error) {
    if (error instanceof ImageRefusedError) return error;
    throw error;
  }
}

test('the disk of an OVA is found, and what came with it is recorded', (t) => {
  const ova = buildOva({ more: [{ name: 'vm.cert', content: Buffer.from('-----BEGIN CERTIFICATE-----') }, { name: 'vm.nvram', content: Buffer.alloc(600) }] });
  t.deepEqual(read(ova), {
    offset: ova.indexOf('diskdisk'), sizeBytes: 1536, isGzip: false,
    facts: { members: '5', ova_disk: 'disk.vmdk', ova_manifest: 'vm.mf', ova_certificate: 'vm.cert' },
  });
});

test('manifests of every digest are verified, and an OVA may have none', (t) => {
  const disk = { name: 'disk.vmdk', content: Buffer.alloc(1536, 'disk') };
  const ovf = { name: 'vm.ovf', content: Buffer.from(descriptor()) };
  for (const algorithm of ['SHA1', 'SHA256', 'SHA384', 'SHA512']) {
    t.is(read(buildOva({ manifest: manifestOf([ovf, disk], algorithm) })).facts['ova_manifest'], 'vm.mf');
  }
  t.is(read(buildTar([ovf, disk])).facts['ova_manifest'], undefined);
});

test('the disk may be said to be compressed with gzip', (t) => {
  t.true(read(buildOva({ descriptor: descriptor({ file: 'ovf:compression="gzip" ovf:href="./disk.vmdk" ovf:id="file1"' }) })).isGzip);
  t.false(read(buildOva({ descriptor: descriptor({ file: "ovf:compression='identity' ovf:href='disk&#46;vmdk' ovf:id='file1'" }) })).isGzip);
});

for (const format of ['ustar', 'pax', 'gnu']) {
  test(`what GNU tar makes as ${format} is read, long names too`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lehr-ova-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const name = `${'long-'.repeat(format === 'ustar' ? 5 : 30)}disk.vmdk`;
    const text = descriptor({ file: `ovf:id="file1" ovf:href="${name}"` });
    const files = [{ name: 'vm.ovf', content: Buffer.from(text) }, { name, content: Buffer.alloc(3000, 'disk') }];
    for (const file of files) writeFileSync(join(folder, file.name), file.content);
    writeFileSync(join(folder, 'vm.mf'), manifestOf(files));
    execFileSync('tar', [`--format=${format}`, '-cf', 'vm.ova', ...['vm.ovf', 'vm.mf', name].map((file) => `./${file}`)], { cwd: folder });
    const ova = readFileSync(join(folder, 'vm.ova'));
    t.like(read(ova), { offset: ova.indexOf('diskdisk'), sizeBytes: 3000 });
  });
}

for (const { check, name, build } of badOvas) {
  test(`${check} refuses ${name}`, (t) => {
    const refusal = refusalOf(build());
    if (refusal === undefined) return t.fail('accepted');
    const { metadata, message } = refusal.failure;
    t.is(metadata['check'], check, message);
    t.regex(message, /^[ -~]+$/);
    t.regex(metadata['offset'] ?? '', /^\d+$/);
    t.true(metadata['value'] !== undefined);
  });
}

test('an OVA that was cut off anywhere is refused', (t) => {
  const ova = buildOva();
  const end = ova.length - 1024;
  for (let length = 0; length < end + 512; length += 37) t.truthy(refusalOf(ova.subarray(0, length)), `${length} bytes`);
});

test(`mutated OVAs never throw anything but a refusal, and never give another disk (seed ${seed})`, (t) => {
  const sound = buildOva();
  const next = randomNumbers(seed);
  const disk = sound.indexOf('diskdisk');
  const outcomes = { accepted: 0, refused: 0 };
  for (let round = 0; round < 1500; round += 1) {
    const ova = Buffer.from(sound);
    const at = next(ova.length);
    ova[at] = next(256);
    const refusal = refusalOf(ova);
    outcomes[refusal === undefined ? 'accepted' : 'refused'] += 1;
    if (refusal === undefined) t.true(ova.subarray(disk, disk + 1536).equals(sound.subarray(disk, disk + 1536)), `byte ${at}`);
  }
  t.true(outcomes.refused > outcomes.accepted);
});
