import test from 'ava';

import { NoDescriptionError, readDescription } from '../../src/regions/read-description.ts';

const id = '018f0000-0000-7000-8000-000000000000';
const digest = `sha256:${'0a'.repeat(32)}`;
const provenance = {
  sourceUri: 'https://example.org/disk.qcow2', sourceRegion: 'ord', sourceImageId: id, originSourceUri: 'https://example.org/first.qcow2',
  originSourceRegion: 'lon', originSourceImageId: id,
};
const image = {
  id, owner: 'default', name: 'web', tags: ['a'], properties: { os: 'x' }, format: 'DISK_FORMAT_QCOW2', sizeBytes: '196768',
  virtualSizeBytes: '10737418240', digest, guestDigest: digest, warnings: ['w'], taskId: id, revision: '1', provenance, createTime: '2026-01-01T00:00:00Z',
};

test('a whole description is read, and what this version does not know is passed over', (t) => {
  t.deepEqual(readDescription({ image: { ...image, colour: 'red' }, more: 1 }, id), {
    id, properties: { name: 'web', tags: ['a'], properties: { os: 'x' } }, format: 'DISK_FORMAT_QCOW2', sizeBytes: 196_768,
    virtualSizeBytes: 10_737_418_240n, digest, guestDigest: digest, provenance,
  });
});

test('what protobuf leaves out of JSON is empty', (t) => {
  const { format, virtualSizeBytes } = image;
  t.deepEqual(readDescription({ image: { id, format, sizeBytes: 5, virtualSizeBytes, digest, provenance: {} } }, id), {
    id, properties: { name: '', tags: [], properties: {} }, format: 'DISK_FORMAT_QCOW2', sizeBytes: 5, virtualSizeBytes: 10_737_418_240n,
    digest, guestDigest: '',
    provenance: { sourceUri: '', sourceRegion: '', sourceImageId: '', originSourceUri: '', originSourceRegion: '', originSourceImageId: '' },
  });
});

const nonsense: readonly (readonly [changed: Readonly<Record<string, unknown>>, problem: RegExp])[] = [
  [{ id: undefined }, /^id is that of another image/],
  [{ id: '018f0000-0000-7000-8000-000000000001' }, /^id is that of another image/],
  [{ id: [id] }, /^id is no text/],
  [{ digest: undefined }, /^digest is not/],
  [{ digest: digest.toUpperCase() }, /^digest is not/],
  [{ digest: 'md5:00' }, /^digest is not/],
  [{ guestDigest: 'unknown' }, /^guestDigest is not/],
  [{ guestDigest: null }, /^guestDigest is not/],
  [{ sizeBytes: undefined }, /^sizeBytes is no number above zero/],
  [{ sizeBytes: '0' }, /^sizeBytes is no number/],
  [{ sizeBytes: '-5' }, /^sizeBytes is no number/],
  [{ sizeBytes: '0x10' }, /^sizeBytes is no number/],
  [{ sizeBytes: 1.5 }, /^sizeBytes is no number/],
  [{ sizeBytes: '9007199254740993' }, /^sizeBytes is larger than any image/],
  [{ virtualSizeBytes: '9'.repeat(30) }, /^virtualSizeBytes is no number/],
  [{ format: undefined }, /^format is none that this server knows/],
  [{ format: 'DISK_FORMAT_UNSPECIFIED' }, /^format is none/],
  [{ format: 'DISK_FORMAT_FLOPPY' }, /^format is none/],
  [{ format: 'constructor' }, /^format is none/],
  [{ name: 'n'.repeat(256) }, /^image\.name has 256 characters/],
  [{ name: 'a\u0007' }, /^image\.name must not contain control characters/],
  [{ tags: 'a' }, /^tags is no list/],
  [{ tags: [1] }, /^tags is no list/],
  [{ tags: ['a', 'a'] }, /^image\.tags\[1\] stands there twice/],
  [{ properties: ['a'] }, /^properties is no object/],
  [{ properties: { os: 5 } }, /^properties has values that are no texts/],
  [{ properties: Object.fromEntries(Array.from({ length: 129 }, (_, index) => [`p${index}`, ''])) }, /^image\.properties has 129 entries/],
  [{ provenance: 'here' }, /^provenance is no object/],
  [{ provenance: { sourceUri: 'x'.repeat(1_025) } }, /^provenance\.sourceUri has 1025 characters/],
  [{ provenance: { originSourceUri: '\u001b[2J' } }, /^provenance\.originSourceUri must not contain control/],
  [{ provenance: { sourceRegion: 'DFW' } }, /^provenance\.sourceRegion is no name of a region/],
  [{ provenance: { sourceImageId: 'x'.repeat(65) } }, /^provenance\.sourceImageId has 65/],
];

for (const [changed, message] of nonsense) {
  test(`no description: ${JSON.stringify(changed, (_key, value: unknown) => value ?? 'nothing').slice(0, 60)}`, (t) => {
    t.throws(() => readDescription({ image: { ...image, ...changed } }, id), { instanceOf: NoDescriptionError, message });
  });
}

for (const answer of [undefined, null, 5, 'text', [], {}, { image: null }, { image: [] }]) {
  test(`no answer: ${JSON.stringify(answer)}`, (t) => {
    t.throws(() => readDescription(answer, id), { instanceOf: NoDescriptionError, message: /is no object/ });
  });
}
