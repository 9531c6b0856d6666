import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u16le, u32le, u64le } from './change.ts';
import type { Change } from './change.ts';
import {
  buildFullSparseVmdk,
  buildFullStreamedVmdk,
  buildSparseVmdk,
  buildStreamedVmdk,
  descriptorText,
  footerOffset,
  sparsePlaces,
  streamPlaces,
  withDescriptor,
} from './vmdk.ts';

const vmdk = (check: CheckName, reason: ReasonName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, reason)(name, () => buildSparseVmdk(...changes));
const descriptor = (check: CheckName, reason: ReasonName, name: string, lines: Readonly<{ extent?: string; more?: string }>): BadImage =>
  vmdk(check, reason, name, withDescriptor(descriptorText('monolithicSparse', lines)));
const streamed = (name: string, ...changes: readonly Change[]): BadImage => bad('vmdk.footer', 'IMAGE_CORRUPT')(name, () => buildStreamedVmdk(...changes));
const stored = (check: CheckName, name: string, ...changes: readonly Change[]): BadImage => bad(check, 'IMAGE_CORRUPT')(name, () => buildFullSparseVmdk(...changes));
const compressed = (check: CheckName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, 'IMAGE_CORRUPT')(name, () => buildFullStreamedVmdk(...changes));
const truncated = bad('truncated', 'IMAGE_CORRUPT');
const [firstGrain, secondGrain] = streamPlaces.grains as readonly [number, number];
const { table, redundantTable, directory, redundantDirectory } = sparsePlaces;
const lastSector = streamPlaces.footer / 512 + 1;
/** Lets the header name the directory, as qemu does, so that the footer is no more than what stands at the end. */
const withoutFooter = u64le(56, BigInt(streamPlaces.directory / 512));
const shortText = 'CID=1\nparentCID=ffffffff\ncreateType="monolithicSparse"\nRW 2048 SPARSE "disk.vmdk"\n';

/** Unsafe and broken VMDK images. */
export const badVmdk: readonly BadImage[] = [
  vmdk('vmdk.version', 'FORMAT_UNSUPPORTED', 'version 4', u32le(4, 4)),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'line ends changed by a transfer', text(75, '\n\n')),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'compressed grains without an algorithm', u32le(8, 0x10001)),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'compressed grains without the flags', u16le(77, 1)),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'compressed grains without markers', u32le(8, 0x10001), u16le(77, 1)),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'markers without compressed grains', u32le(8, 0x20001)),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'a footer without a stream', u64le(56, 2n ** 64n - 1n)),
  vmdk('vmdk.capacity', 'IMAGE_UNSAFE', 'a capacity of 0, which leaves all to the descriptor', u64le(12, 0n)),
  vmdk('vmdk.compression', 'FORMAT_UNSUPPORTED', 'a compression that is not known', u16le(77, 2)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grains of 0 sectors', u64le(20, 0n)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grains of 100 sectors', u64le(20, 100n)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grains of 2^63 sectors', u64le(20, 2n ** 63n)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grain tables without entries', u32le(44, 0)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grain tables of a billion entries', u32le(44, 2 ** 30)),
  bad('vmdk.grain', 'IMAGE_CORRUPT')('compressed grains of 4 MiB', () => buildStreamedVmdk(u64le(20, 8192n), u64le(footerOffset + 20, 8192n))),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'a capacity of 144 petabytes', u64le(12, 2n ** 48n)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'a grain directory behind the end', u64le(56, 2n ** 54n)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'no grain directory', u64le(56, 0n)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'a redundant directory behind the end', u32le(8, 3), u64le(48, 2n ** 54n)),
  bad('vmdk.grain_directory', 'IMAGE_CORRUPT')('a footer that leaves the directory to another footer', () => buildStreamedVmdk(u64le(footerOffset + 56, 2n ** 64n - 1n))),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'a descriptor at sector 2', u64le(28, 2n)),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'a descriptor of 2^63 sectors', u64le(36, 2n ** 63n)),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'control characters', withDescriptor('# Disk\x07\n')),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'a line that is no sentence of the language', { more: 'RW lots SPARSE' }),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'two create types', { more: 'createType="streamOptimized"' }),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'no extent', { extent: '' }),
  bad('vmdk.descriptor', 'IMAGE_CORRUPT')('a descriptor of 100 KiB', () =>
    Buffer.concat([buildSparseVmdk(u64le(36, 400n)).subarray(0, 512), Buffer.alloc(400 * 512, '#\n')]),
  ),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'letters beyond ASCII', withDescriptor(descriptorText('monolithicSparse', { extent: 'RW 2048 SPARSE "d\xefsk.vmdk"' }))),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'a line that ends where only some end it', withDescriptor(descriptorText('monolithicSparse', { more: '# x\rRW 1 FLAT "y" 0' }))),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'a descriptor that goes on behind its sectors', u64le(36, 1n), withDescriptor(shortText.padEnd(512, '#'))),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'another create type than the header speaks of', withDescriptor(descriptorText('streamOptimized'))),
  bad('vmdk.descriptor', 'IMAGE_CORRUPT')('a stream whose descriptor says it is none', () => buildStreamedVmdk(withDescriptor(descriptorText('monolithicSparse')))),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'no content ID', withDescriptor(shortText.replace('CID=1\n', ''))),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'no content ID of a parent', withDescriptor(shortText.replace('parentCID=ffffffff\n', ''))),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'a key that is not known', { more: 'digestFile="x"' }),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'an extent that begins elsewhere', { extent: 'RW 2048 SPARSE "disk.vmdk" 128' }),
  vmdk('vmdk.descriptor_missing', 'FORMAT_UNSUPPORTED', 'one extent of a split disk', u64le(28, 0n), u64le(36, 0n)),
  vmdk('vmdk.descriptor_missing', 'FORMAT_UNSUPPORTED', 'one extent of a split disk as qemu writes it', withDescriptor('')),
  vmdk('vmdk.create_type', 'FORMAT_UNSUPPORTED', 'monolithicFlat', withDescriptor(descriptorText('monolithicFlat'))),
  vmdk('vmdk.create_type', 'FORMAT_UNSUPPORTED', 'vmfsSparse', withDescriptor(descriptorText('vmfsSparse'))),
  descriptor('vmdk.extents', 'FORMAT_UNSUPPORTED', 'two extents', { more: 'RW 2048 SPARSE "more.vmdk"' }),
  descriptor('vmdk.extent_type', 'IMAGE_UNSAFE', 'a flat extent', { extent: 'RW 2048 FLAT "secret" 0' }),
  descriptor('vmdk.extent_path', 'IMAGE_UNSAFE', 'a flat extent with a path', { extent: 'RW 2048 FLAT "/etc/shadow" 0' }),
  descriptor('vmdk.extent_path', 'IMAGE_UNSAFE', 'a sparse extent with a path', { extent: 'RDONLY 2048 SPARSE "../other/disk.vmdk"' }),
  descriptor('vmdk.extent_path', 'IMAGE_UNSAFE', 'an extent with a protocol', { extent: 'RW 2048 SPARSE "nbd:10.0.0.1:1"' }),
  descriptor('vmdk.extent_path', 'IMAGE_UNSAFE', 'an extent on another drive', { extent: 'RW 2048 SPARSE "C\\disk"' }),
  descriptor('vmdk.extent_path', 'IMAGE_UNSAFE', 'a path behind an innocent extent', { more: 'RW 1 FLAT "/etc/shadow" 0' }),
  vmdk('vmdk.extent_path', 'IMAGE_UNSAFE', 'a path under a kind that is refused too', withDescriptor(descriptorText('monolithicFlat', { extent: 'RW 1 FLAT "/x" 0' }))),
  descriptor('vmdk.parent', 'IMAGE_UNSAFE', 'a hint to a parent', { more: 'parentFileNameHint="base.vmdk"' }),
  descriptor('vmdk.parent', 'IMAGE_UNSAFE', 'a hint to a parent in a comment, which qemu follows', { more: '# parentFileNameHint="/etc/shadow"' }),
  descriptor('vmdk.parent', 'IMAGE_UNSAFE', 'a hint to a parent in another key, which qemu follows', { more: 'ddb.parentFileNameHint="base.vmdk"' }),
  descriptor('vmdk.extent_path', 'IMAGE_UNSAFE', 'a change track with a path', { more: 'changeTrackPath="/etc/shadow"' }),
  descriptor('vmdk.parent', 'IMAGE_UNSAFE', 'the content ID of a parent', { more: 'parentCID=12345678' }),
  streamed('no footer where one is announced', (image) => image.fill(0, footerOffset, footerOffset + 4)),
  streamed('a footer without its marker', u32le(footerOffset - 512 + 12, 2)),
  streamed('no marker at the end of the stream', u32le(footerOffset + 512 + 8, 1)),
  streamed('a footer with another capacity', u64le(footerOffset + 12, 4096n)),
  streamed('a footer with other line ends', text(footerOffset + 73, '\n\n')),
  streamed('a footer with a redundant directory', u64le(footerOffset + 48, 21n)),
  bad('vmdk.footer', 'IMAGE_CORRUPT')('a stream of no whole number of sectors', () => Buffer.concat([buildStreamedVmdk(), Buffer.alloc(100)])),
  compressed('vmdk.marker', 'a grain of another place', u64le(firstGrain, 128n)),
  compressed('vmdk.marker', 'a grain of no bytes', u32le(firstGrain + 8, 0)),
  compressed('vmdk.marker', 'a grain of 4 GiB', u32le(firstGrain + 8, 2 ** 32 - 1)),
  compressed('vmdk.marker', 'a grain of more than deflate can take', u32le(firstGrain + 8, 75_000)),
  compressed('vmdk.marker', 'a grain that the file ends in', withoutFooter, u32le(streamPlaces.table + 16, lastSector), u64le(lastSector * 512, 512n), u32le(lastSector * 512 + 8, 501)),
  compressed('vmdk.marker', 'a grain table without its marker', u32le(streamPlaces.table - 512 + 12, 0)),
  compressed('vmdk.marker', 'a grain table whose marker counts more sectors', u64le(streamPlaces.table - 512, 5n)),
  compressed('vmdk.marker', 'a grain table marked as a grain', u32le(streamPlaces.table - 512 + 8, 100)),
  compressed('vmdk.marker', 'a directory without its marker', u32le(streamPlaces.directory - 512 + 12, 3)),
  stored('vmdk.grain_table', 'a grain table behind the end', u32le(directory, 2 ** 32 - 1)),
  stored('vmdk.grain_table', 'a grain table that the file ends in', u32le(directory, 128 * 4 - 3)),
  stored('vmdk.grain_table', 'a redundant grain table behind the end', u32le(redundantDirectory, 2 ** 31)),
  stored('vmdk.grain_entry', 'a grain behind the end', u32le(table + 8, 2 ** 32 - 1), u32le(redundantTable + 8, 2 ** 32 - 1)),
  stored('vmdk.grain_entry', 'a grain that the file ends in', u32le(table + 8, 128 * 3 + 1), u32le(redundantTable + 8, 128 * 3 + 1)),
  bad('vmdk.grain_entry', 'IMAGE_CORRUPT')('a VMDK that was cut off', () => buildFullSparseVmdk().subarray(0, 128 * 4 * 512 - 1)),
  compressed('vmdk.grain_entry', 'a compressed grain behind the end', u32le(streamPlaces.table + 8, 2 ** 32 - 1)),
  stored('vmdk.redundant_tables', 'a grain that only the redundant table has', u32le(redundantTable + 8, 128)),
  stored('vmdk.redundant_tables', 'a grain that only the primary table has', u32le(redundantTable + 60, 0)),
  stored('vmdk.redundant_tables', 'another value behind the end of the disk', u32le(redundantTable + 400, 7)),
  stored('vmdk.redundant_tables', 'no redundant grain table', u32le(redundantDirectory, 0)),
  stored('vmdk.redundant_tables', 'only a redundant grain table', u32le(directory, 0)),
  stored('vmdk.overlap', 'a grain that is given out twice', u32le(table + 8, 128), u32le(redundantTable + 8, 128)),
  stored('vmdk.overlap', 'a grain over the end of another', u32le(table + 8, 250), u32le(redundantTable + 8, 250)),
  stored('vmdk.overlap', 'a grain in the descriptor, where a zero grain would be meant', u32le(table + 8, 1), u32le(redundantTable + 8, 1)),
  stored('vmdk.overlap', 'a grain over the grain table', u32le(table + 8, 22), u32le(redundantTable + 8, 22)),
  stored('vmdk.overlap', 'a grain table that is its own grain', u32le(8, 1), u32le(directory, 128), (image) => image.fill(0, 65_536, 67_584), u32le(65_536, 128)),
  stored('vmdk.overlap', 'a grain table in the header', u32le(directory, 1)),
  stored('vmdk.overlap', 'a directory in the descriptor', u64le(56, 20n)),
  stored('vmdk.overlap', 'a redundant directory over the primary grain table', u64le(48, 23n)),
  compressed('vmdk.overlap', 'a compressed grain that reaches into the next', u32le(firstGrain + 8, secondGrain - firstGrain)),
  compressed(
    'vmdk.overlap',
    'a directory whose marker is the end of a grain table',
    u64le(streamPlaces.footer + 56, BigInt(streamPlaces.table / 512 + 4)),
    u64le(streamPlaces.table + 3 * 512, 1n),
    u32le(streamPlaces.table + 3 * 512 + 12, 2),
    u32le(streamPlaces.table + 4 * 512, streamPlaces.table / 512),
  ),
  compressed('vmdk.overlap', 'a directory in the footer', u64le(streamPlaces.footer + 56, BigInt(streamPlaces.footer / 512 + 1))),
  compressed('compressed_data', 'a grain that is not compressed', text(firstGrain + 12, 'not compressed')),
  compressed('compressed_data', 'a grain that decodes to another one', u32le(firstGrain + 12 + 200, 0)),
  truncated('a VMDK that ends in its metadata', () => buildSparseVmdk().subarray(0, 60 * 512)),
  truncated('a streamed VMDK without room for a footer', () => buildStreamedVmdk(u64le(36, 1n), u64le(64, 2n), withShortDescriptor).subarray(0, 1024)),
];

function withShortDescriptor(image: Buffer): void {
  image.fill(0, 512, 1024);
  image.write(shortText.replace('monolithicSparse', 'streamOptimized'), 512, 'latin1');
}
