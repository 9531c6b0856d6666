import test from 'ava';

import { checkResults, phaseOf } from '../../src/formats/check-results.ts';
import { checkTable } from '../../src/formats/check-table.ts';
import type { CheckName } from '../../src/formats/check-table.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { badImages } from './build/bad-images.ts';
import { goodImages } from './build/good-images.ts';
import { MemoryReader } from './build/memory-reader.ts';

const limits = { maxVirtualBytes: 64n * 1024n ** 4n };

test('a check of a later phase never fails in an earlier one', (t) => {
  for (const { check, name, build, declared = 'DISK_FORMAT_UNSPECIFIED' } of badImages) {
    const phase = phaseOf(check);
    if (phase !== 'tables' && phase !== 'guest') continue;
    const image = build();
    t.is(inspect(new MemoryReader(image), declared, limits, 'headers').kind, 'accepted', `${check}: ${name}`);
    if (phase === 'guest') t.is(inspect(new MemoryReader(image), declared, limits, 'tables').kind, 'accepted', `${check}: ${name}`);
  }
});

test('of an accepted image every check that concerns it has passed, as far as the inspection went', (t) => {
  for (const { build, declared = 'DISK_FORMAT_UNSPECIFIED', format } of goodImages) {
    const verdict = inspect(new MemoryReader(build()), declared, limits);
    const results = checkResults(verdict, 'guest');
    t.true(results.every(({ result }) => result === 'passed'));
    const own = `${format.replace('DISK_FORMAT_', '').toLowerCase()}.`;
    const expected = (Object.keys(checkTable) as CheckName[]).filter((name) => name.startsWith(own));
    t.deepEqual(results.map(({ name }) => name).filter((name) => name.startsWith(own)), expected);
    const shallow = checkResults(verdict, 'headers').filter(({ result }) => result === 'not judged').map(({ name }) => phaseOf(name));
    t.deepEqual([...new Set(shallow)].filter((phase) => phase !== 'tables' && phase !== 'guest'), []);
  }
});

test('of a refused image one check failed, earlier phases passed, and nobody knows of the rest', (t) => {
  const { build } = badImages.find(({ check }) => check === 'qcow2.cluster') ?? t.fail('there is one');
  const results = checkResults(inspect(new MemoryReader(build()), 'DISK_FORMAT_QCOW2', limits), 'guest');
  const of = (name: CheckName): string | undefined => results.find((result) => result.name === name)?.result;
  t.deepEqual([of('polyglot'), of('qcow2.header'), of('qcow2.cluster'), of('qcow2.l2_table'), of('compressed_data'), of('vhd.footer')],
    ['passed', 'passed', 'failed', 'not judged', 'not judged', undefined]);
});

test('checks of unwrapping that were not made to their end did not pass', (t) => {
  const verdict = inspect(new MemoryReader(goodImages[0]?.build() ?? Buffer.alloc(0)), 'DISK_FORMAT_UNSPECIFIED', limits);
  const results = checkResults(verdict, 'guest', 'ova', ['compressed.', 'ova.manifest']);
  t.true(results.every(({ name, result }) => (result === 'not judged') === (name.startsWith('compressed.') || name === 'ova.manifest')));
});

test('what the wrapper is judged by is told where there was one', (t) => {
  const verdict = inspect(new MemoryReader(goodImages[0]?.build() ?? Buffer.alloc(0)), 'DISK_FORMAT_UNSPECIFIED', limits);
  const names = (wrapper?: 'gzip' | 'ova'): readonly string[] => checkResults(verdict, 'guest', wrapper).map(({ name }) => name.split('.')[0] ?? '');
  t.false(names().includes('compressed'));
  t.true(names('gzip').includes('compressed'));
  t.false(names('gzip').includes('ova'));
  t.true(names('ova').includes('ova'));
});
