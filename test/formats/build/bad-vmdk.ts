import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u16le, u32le, u64le } from './change.ts';
import type { Change } from './change.ts';
import { buildSparseVmdk, buildStreamedVmdk, descriptorText, footerOffset, withDescriptor } from './vmdk.ts';

const vmdk = (check: CheckName, reason: ReasonName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, reason)(name, () => buildSparseVmdk(...changes));
const descriptor = (check: CheckName, reason: ReasonName, name: string, lines: Readonly<{ extent?: string; more?: string }>): BadImage =>
  vmdk(check, reason, name, withDescriptor(descriptorText('monolithicSparse', lines)));
const streamed = (name: string, ...changes: readonly Change[]): BadImage => bad('vmdk.footer', 'IMAGE_CORRUPT')(name, () => buildStreamedVmdk(...changes));
const truncated = bad('truncated', 'IMAGE_CORRUPT');

/** Unsafe and broken VMDK images. */
export const badVmdk: readonly BadImage[] = [
  vmdk('vmdk.version', 'FORMAT_UNSUPPORTED', 'version 4', u32le(4, 4)),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'line ends changed by a transfer', text(75, '\n\n')),
  vmdk('vmdk.header', 'IMAGE_CORRUPT', 'compressed grains without an algorithm', u32le(8, 0x10001)),
  vmdk('vmdk.capacity', 'IMAGE_UNSAFE', 'a capacity of 0, which leaves all to the descriptor', u64le(12, 0n)),
  vmdk('vmdk.compression', 'FORMAT_UNSUPPORTED', 'a compression that is not known', u16le(77, 2)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grains of 0 sectors', u64le(20, 0n)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grains of 100 sectors', u64le(20, 100n)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grains of 2^63 sectors', u64le(20, 2n ** 63n)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grain tables without entries', u32le(44, 0)),
  vmdk('vmdk.grain', 'IMAGE_CORRUPT', 'grain tables of a billion entries', u32le(44, 2 ** 30)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'a capacity of 144 petabytes', u64le(12, 2n ** 48n)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'a grain directory behind the end', u64le(56, 2n ** 54n)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'no grain directory', u64le(56, 0n)),
  vmdk('vmdk.grain_directory', 'IMAGE_CORRUPT', 'a redundant directory behind the end', u32le(8, 3), u64le(48, 2n ** 54n)),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'a descriptor at sector 2', u64le(28, 2n)),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'a descriptor of 2^63 sectors', u64le(36, 2n ** 63n)),
  vmdk('vmdk.descriptor', 'IMAGE_CORRUPT', 'control characters', withDescriptor('# Disk\x07\n')),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'a line that is no sentence of the language', { more: 'RW lots SPARSE' }),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'two create types', { more: 'createType="streamOptimized"' }),
  descriptor('vmdk.descriptor', 'IMAGE_CORRUPT', 'no extent', { extent: '' }),
  bad('vmdk.descriptor', 'IMAGE_CORRUPT')('a descriptor of 100 KiB', () =>
    Buffer.concat([buildSparseVmdk(u64le(36, 400n)).subarray(0, 512), Buffer.alloc(400 * 512, '#\n')]),
  ),
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
  descriptor('vmdk.parent', 'IMAGE_UNSAFE', 'the content ID of a parent', { more: 'parentCID=12345678' }),
  streamed('no footer where one is announced', (image) => image.fill(0, footerOffset, footerOffset + 4)),
  streamed('a footer without its marker', u32le(footerOffset - 512 + 12, 2)),
  streamed('no marker at the end of the stream', u32le(footerOffset + 512 + 8, 1)),
  streamed('a footer with another capacity', u64le(footerOffset + 12, 4096n)),
  truncated('a VMDK that ends in its metadata', () => buildSparseVmdk().subarray(0, 60 * 512)),
  truncated('a streamed VMDK without room for a footer', () => buildStreamedVmdk(u64le(36, 1n), u64le(64, 2n), withShortDescriptor).subarray(0, 1024)),
];

function withShortDescriptor(image: Buffer): void {
  image.fill(0, 512, 1024);
  image.write('createType="streamOptimized"\nRW 2048 SPARSE "disk.vmdk"\n', 512, 'latin1');
}
