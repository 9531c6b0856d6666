import test from 'ava';

import { checkResults, guestChecks, phaseOf, tableChecks } from '../../src/formats/check-results.ts';
import { inspect } from '../../src/formats/inspect.ts';
import type { InspectionDepth } from '../../src/formats/inspect.ts';
import { badImages } from './build/bad-images.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { buildQcow2 } from './build/qcow2.ts';

const limits = { maxVirtualBytes: 64n * 1024n ** 4n };

/** The check that an inspection of this depth fails. */
function failedAt(image: Buffer, declared: Parameters<typeof inspect>[1], depth: InspectionDepth): string | undefined {
  const verdict = inspect(new MemoryReader(image), declared, limits, depth);
  return verdict.kind === 'refused' ? verdict.failure.metadata['check'] : undefined;
}

for (const { check, name, build, declared = 'DISK_FORMAT_UNSPECIFIED' } of badImages.filter(({ check: named }) => tableChecks.has(named) || guestChecks.has(named))) {
  test(`headers do not show ${name}, which ${check} refuses`, (t) => {
    t.is(failedAt(build(), declared, 'headers'), undefined);
    t.is(failedAt(build(), declared, 'tables'), phaseOf(check) === 'tables' ? check : undefined);
  });
}

test('every check that some bad image fails in its tables alone is one of tables', (t) => {
  const late = badImages.filter(({ build, declared = 'DISK_FORMAT_UNSPECIFIED' }) => failedAt(build(), declared, 'headers') === undefined).map(({ check }) => check);
  const early = badImages.map(({ check }) => check).filter((check) => !late.includes(check));
  t.deepEqual(early.filter((check) => tableChecks.has(check) || guestChecks.has(check)), []);
  t.deepEqual([...new Set(late)].filter((check) => phaseOf(check) === 'headers' && !isEarlyToo(check)), []);
});

/** Whether another bad image fails the check in its headers. */
function isEarlyToo(check: string): boolean {
  return badImages.some((bad) => bad.check === check && failedAt(bad.build(), bad.declared ?? 'DISK_FORMAT_UNSPECIFIED', 'headers') === check);
}

const image = buildQcow2(3);
const resultsOf = (depth: InspectionDepth): Readonly<Record<string, string>> =>
  Object.fromEntries(checkResults(inspect(new MemoryReader(image), 'DISK_FORMAT_UNSPECIFIED', limits, depth), depth).map(({ name, result }) => [name, result]));

test('a check counts as passed only where the inspection went as deep as it', (t) => {
  const judged = (depth: InspectionDepth) => ['polyglot', 'qcow2.backing_file', 'qcow2.overlap', 'compressed_data'].map((check) => resultsOf(depth)[check]);
  t.deepEqual(judged('headers'), ['passed', 'passed', 'not judged', 'not judged']);
  t.deepEqual(judged('content'), ['passed', 'passed', 'passed', 'not judged']);
  t.deepEqual(judged('guest'), ['passed', 'passed', 'passed', 'passed']);
});

test('checks of other formats, of archives and of compressed content do not concern a plain image', (t) => {
  t.deepEqual(Object.keys(resultsOf('guest')).filter((check) => /^(?:raw|vmdk|vhdx?|vdi|iso|ova|compressed)\./.test(check)), []);
});

test('the beginning of the guest\'s disk is judged without its end', (t) => {
  const nested = badImages.find(({ check, name }) => check === 'nested_format' && name.startsWith('a qcow2 in a'));
  t.is(failedAt(nested!.build(), 'DISK_FORMAT_UNSPECIFIED', 'content'), 'nested_format');
});
