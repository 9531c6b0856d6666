import { formatNames } from './corpus.ts';
import type { CorpusImage } from './corpus.ts';

/** A number in an image that readers go by. */
export interface Place {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly order: 'be' | 'le';
}

/** Places of one kind: a header, a table. One of each kind is as likely to be changed, however long a table is. */
export type Places = readonly Place[];

/** Of a table so many entries are known; that is more than the small images of the corpus use. */
const entryLimit = 512;

const { raw, qcow2, vmdk, vhd, vhdx, vdi, iso } = formatNames;

/** The places that matter in a sound image, by kind. */
export function placesOf({ format, bytes }: CorpusImage): readonly Places[] {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const byFormat: Readonly<Record<string, (image: Buffer) => readonly Places[]>> = {
    [raw]: () => [],
    [qcow2]: qcow2Places,
    [vmdk]: vmdkPlaces,
    [vhd]: vhdPlaces,
    [vhdx]: vhdxPlaces,
    [vdi]: vdiPlaces,
    [iso]: isoPlaces,
  };
  const kinds = [...(byFormat[format]?.(image) ?? []), ...partitionPlaces(image)];
  const isInside = ({ offset, bytes: width }: Place): boolean => offset >= 0 && offset + width <= image.length;
  return kinds.map((places) => places.filter(isInside)).filter((places) => places.length > 0);
}

/** Fields of a structure at `base`, as offset and length. */
function fields(base: number, order: Place['order'], list: readonly (readonly [at: number, bytes: Place['bytes']])[]): Places {
  return list.map(([at, bytes]) => ({ offset: base + at, bytes, order }));
}

function table(offset: number, entries: number, bytes: Place['bytes'], order: Place['order'], stride: number = bytes): Places {
  return Array.from({ length: Math.min(entries, entryLimit) }, (_, index) => ({ offset: offset + index * stride, bytes, order }));
}

function safe(image: Buffer, offset: number): boolean {
  return offset >= 0 && offset + 8 <= image.length;
}

/** Offsets that the entries of a table lead to, as far as they lie in the image. */
function targets(image: Buffer, entries: Places, toOffset: (value: bigint) => number): readonly number[] {
  const found = entries.filter(({ offset }) => safe(image, offset)).map(({ offset, bytes, order }) => {
    if (bytes === 8) return toOffset(order === 'be' ? image.readBigUInt64BE(offset) : image.readBigUInt64LE(offset));
    return toOffset(BigInt(order === 'be' ? image.readUInt32BE(offset) : image.readUInt32LE(offset)));
  });
  return [...new Set(found)].filter((offset) => offset > 0 && safe(image, offset));
}

/** docs/interop/qcow2.txt of QEMU. */
function qcow2Places(image: Buffer): readonly Places[] {
  const cluster = 2 ** image.readUInt32BE(20);
  const hostOffset = (value: bigint): number => Number(value & 0x00ff_ffff_ffff_fe00n);
  const l1 = table(Number(image.readBigUInt64BE(40)), image.readUInt32BE(36), 8, 'be');
  const refcounts = table(Number(image.readBigUInt64BE(48)), (image.readUInt32BE(56) * cluster) / 8, 8, 'be');
  const end = image.readUInt32BE(4) === 2 ? 72 : image.readUInt32BE(100);
  const header = [[4, 4], [8, 8], [16, 4], [20, 4], [24, 8], [32, 4], [36, 4], [40, 8], [48, 8], [56, 4], [60, 4], [64, 8]] as const;
  return [
    fields(0, 'be', header),
    fields(0, 'be', [[72, 8], [80, 8], [88, 8], [96, 4], [100, 4], [104, 1]]),
    table(end, 16, 4, 'be'),
    l1,
    refcounts.slice(0, 8),
    targets(image, l1, hostOffset).flatMap((offset) => table(offset, Math.min(64, cluster / 8), 8, 'be')),
    targets(image, refcounts.slice(0, 8), hostOffset).flatMap((offset) => table(offset, 64, 2, 'be')),
  ];
}

/** "Virtual Disk Format 5.0". */
function vmdkPlaces(image: Buffer): readonly Places[] {
  const sizes = [[4, 4], [8, 4], [12, 8], [20, 8], [28, 8], [36, 8], [44, 4]] as const;
  const header = [...sizes, [48, 8], [56, 8], [64, 8], [72, 1], [73, 4], [77, 2]] as const;
  const footer = image.length - 1024;
  const isStream = image.readBigUInt64LE(56) === 0xffff_ffff_ffff_ffffn;
  const toOffset = (value: bigint): number => Number(value) * 512;
  const directories = isStream ? [footer + 56] : [56, 48];
  const directoryAt = targets(image, directories.map((offset) => ({ offset, bytes: 8, order: 'le' })), toOffset);
  const directory = directoryAt.flatMap((offset) => table(offset, 8, 4, 'le'));
  const tables = targets(image, directory, toOffset);
  const entries = tables.flatMap((offset) => table(offset, 64, 4, 'le'));
  const grains = targets(image, entries, toOffset);
  const marker = (offset: number): Places => fields(offset, 'le', [[0, 8], [8, 4], [12, 4]]);
  const marked = [footer, image.length, ...directoryAt, ...tables].flatMap((offset) => marker(offset - 512));
  return [
    fields(0, 'le', header),
    table(512, 400, 1, 'le'),
    directory,
    entries,
    ...(isStream ? [fields(footer, 'le', header), marked, grains.flatMap(marker)] : []),
  ];
}

const vhdFooterFields = [
  [8, 4], [12, 4], [16, 8], [24, 4], [28, 4], [32, 4], [40, 8], [48, 8], [56, 2], [58, 1], [59, 1], [60, 4], [64, 4], [84, 1],
] as const;

/** "Virtual Hard Disk Image Format Specification" of Microsoft. */
function vhdPlaces(image: Buffer): readonly Places[] {
  const footer = fields(image.length - 512, 'be', vhdFooterFields);
  if (image.toString('latin1', 0, 8) !== 'conectix') return [footer];
  const header = Number(image.readBigUInt64BE(16));
  const blocks = table(Number(image.readBigUInt64BE(header + 16)), image.readUInt32BE(header + 28), 4, 'be');
  return [
    footer,
    fields(0, 'be', vhdFooterFields),
    fields(header, 'be', [[0, 4], [8, 8], [16, 8], [24, 4], [28, 4], [32, 4], [36, 4], [40, 8], [576, 8]]),
    blocks,
    targets(image, blocks, (value) => Number(value) * 512).flatMap((offset) => table(offset, 64, 1, 'be')),
  ];
}

/** [MS-VHDX]. */
function vhdxPlaces(image: Buffer): readonly Places[] {
  const kibibyte = 1024;
  const header = [[0, 4], [4, 4], [8, 8], [48, 8], [64, 2], [66, 2], [68, 4], [72, 8]] as const;
  const headers = [64 * kibibyte, 128 * kibibyte].flatMap((offset) => fields(offset, 'le', header));
  const regionTables = [192 * kibibyte, 256 * kibibyte];
  const regions = regionTables.flatMap((offset) => [
    ...fields(offset, 'le', [[0, 4], [4, 4], [8, 4]]),
    ...[0, 1].flatMap((index) => fields(offset + 16 + index * 32, 'le', [[0, 4], [16, 8], [24, 4], [28, 4]])),
  ]);
  const starts = [0, 1].map((index) => Number(image.readBigUInt64LE(192 * kibibyte + 16 + index * 32 + 16)));
  const metadata = starts.find((offset) => safe(image, offset) && image.toString('latin1', offset, offset + 8) === 'metadata') ?? 0;
  const blockTable = starts.find((offset) => offset !== metadata) ?? 0;
  const items = table(metadata + 32, 5, 4, 'le', 32);
  const values = items.map(({ offset }) => metadata + image.readUInt32LE(offset + 16));
  return [
    headers,
    regions,
    [...fields(metadata, 'le', [[0, 4], [10, 2]]), ...items.flatMap(({ offset }) => fields(offset, 'le', [[0, 4], [16, 4], [20, 4], [24, 4]]))],
    values.flatMap((offset) => fields(offset, 'le', [[0, 4], [4, 4], [0, 8]])),
    table(blockTable, 32, 8, 'le'),
  ];
}

/** Storage/VDICore.h of VirtualBox. */
function vdiPlaces(image: Buffer): readonly Places[] {
  const header = [0x40, 0x44, 0x48, 0x4c, 0x154, 0x158, 0x15c, 0x160, 0x164, 0x168, 0x178, 0x17c, 0x180, 0x184, 0x1a8, 0x1b8, 0x1c8, 0x1d8];
  return [
    fields(0, 'le', [...header.map((offset) => [offset, 4] as const), [0x170, 8]]),
    table(image.readUInt32LE(0x154), Math.min(64, image.readUInt32LE(0x180)), 4, 'le'),
  ];
}

/** ECMA-119, 8.4, and ECMA-167, 2/9. */
function isoPlaces(): readonly Places[] {
  return [16, 17, 18].map((sector) => fields(sector * 2048, 'le', [[0, 1], [1, 4], [5, 1], [6, 1], [80, 4], [84, 4], [128, 2], [130, 2], [158, 4], [166, 4]]));
}

/** Partition tables wherever a sector of the first MiB looks like one: in a guest's disk that is stored in one piece, or not far in. */
function partitionPlaces(image: Buffer): readonly Places[] {
  const kinds: Places[] = [];
  for (let sector = 0; sector + 512 <= Math.min(image.length, 2 ** 20); sector += 512) {
    if (image.readUInt16LE(sector + 510) === 0xaa55) {
      kinds.push([0, 1, 2, 3].flatMap((index) => fields(sector + 446 + index * 16, 'le', [[0, 1], [4, 1], [8, 4], [12, 4]])));
    }
    if (image.toString('latin1', sector, sector + 8) !== 'EFI PART') continue;
    kinds.push(fields(sector, 'le', [[8, 4], [12, 4], [16, 4], [24, 8], [32, 8], [72, 8], [80, 4], [84, 4], [88, 4]]), table(sector + 512 + 32, 8, 8, 'le', 128));
  }
  return kinds;
}
