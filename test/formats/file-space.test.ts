import test from 'ava';

import { FileSpace } from '../../src/formats/guest/file-space.ts';

const only = (sizeBytes: number, unitBytes: number): FileSpace => {
  const [space] = [...FileSpace.passes(sizeBytes, unitBytes)];
  if (space === undefined) throw new Error('A file of this size has a space.');
  return space;
};

test('what was claimed is not given again, in whole or in part', (t) => {
  const space = only(2 ** 20, 512);
  t.true(space.claim(0, 1024));
  t.true(space.claim(1024, 512));
  t.false(space.claim(512, 512));
  t.false(space.claim(1000, 2000));
  t.true(space.claim(8192, 512));
  t.false(space.claim(4096, 2 ** 16));
});

test('a unit of which one byte is used is used', (t) => {
  const space = only(2 ** 20, 65_536);
  t.true(space.claim(65_536, 1));
  t.false(space.claim(2 * 65_536 - 1, 1));
  t.true(space.claim(2 * 65_536, 65_536));
});

test('who shares may share with others, and not with who claims', (t) => {
  const space = only(2 ** 20, 512);
  t.true(space.share(0, 1024));
  t.true(space.share(512, 1024));
  t.false(space.claim(1024, 512));
  t.false(space.share(1024, 512));
  t.true(space.claim(4096, 512));
  t.false(space.share(4096, 1));
});

test('the last unit of a file may be cut short, and nothing lies behind the file', (t) => {
  const space = only(65_536 + 10, 65_536);
  t.true(space.claim(65_536, 65_536));
  t.false(space.claim(65_536, 1));
  t.true(space.claim(2 ** 40, 512));
  t.true(space.claim(2 ** 40, 512));
});

test('a large file is gone through in passes of bounded memory, and each place is judged in one of them', (t) => {
  const sizeBytes = 10 * 2 ** 30;
  const places = [0, 4 * 2 ** 30 - 512, 4 * 2 ** 30, sizeBytes - 512];
  const passes = [...FileSpace.passes(sizeBytes, 512)];
  t.is(passes.length, 3);
  for (const place of places) {
    const found = passes.map((space) => space.claim(place, 512) && space.claim(place, 512));
    t.is(found.filter((isFree) => !isFree).length, 1, String(place));
  }
  t.deepEqual([...FileSpace.passes(0, 512)], []);
});
