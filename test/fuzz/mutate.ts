import type { Random } from '../simulation/random.ts';
import type { CorpusImage } from './corpus.ts';
import type { Place, Places } from './places.ts';
import { repairChecksums, repairGpt } from './repair.ts';

/** An image after a few changes, and what was done to it. */
export interface Mutant {
  readonly bytes: Buffer;
  readonly steps: readonly string[];
}

/** What mutations draw from: the image, where its fields are, and another image to take parts of. */
interface Material {
  readonly image: CorpusImage;
  readonly places: readonly Places[];
  readonly other: CorpusImage;
}

/** An image grows by this at most. */
const growthLimitBytes = 2 ** 20;

const partSizes = [1, 8, 64, 512, 512, 4096, 65_536, 2 ** 20] as const;

type Mutation = (bytes: Buffer, material: Material, random: Random) => readonly [bytes: Buffer, step: string];

/** Each as likely as it is often in the list. Nothing here draws from anything but `random`. */
const mutations: readonly Mutation[] = [
  interestingValue, interestingValue, interestingValue, interestingValue, interestingValue,
  copiedField, copiedField, flippedFieldBit, flippedFieldBit,
  flippedBit, otherBytes, filledPart, repeatedPart, movedPart, foreignPart, foreignPart, cutOff, extended,
];

/** Changes an image in one to six ways, the same ones for the same draws. Checksums are mostly repaired. */
export function mutate(material: Material, random: Random): Mutant {
  let bytes: Buffer = Buffer.from(material.image.bytes);
  const steps: string[] = [];
  for (let count = random.chance(0.5) ? 1 : random.between(1, 6); count > 0; count -= 1) {
    const [changed, step] = random.pick(mutations)(bytes, material, random);
    bytes = changed;
    steps.push(step);
    if (bytes.length === 0) break;
  }
  if (random.chance(0.8)) {
    repairChecksums(bytes, material.image.format);
    steps.push('checksums made anew');
  }
  if (random.chance(0.5)) repairGpt(bytes);
  return { bytes, steps };
}

function pickPlace({ places }: Material, bytes: Buffer, random: Random): Place {
  const kind = places.length > 0 && random.chance(0.95) ? random.pick(places) : [];
  const place = kind.length > 0 ? random.pick(kind) : { offset: random.between(0, Math.min(bytes.length - 1, 8192)), bytes: 4, order: 'le' } as const;
  return place.offset + place.bytes <= bytes.length ? place : { offset: 0, bytes: 1, order: 'le' };
}

function readPlace(bytes: Buffer, { offset, bytes: width, order }: Place): bigint {
  const part = bytes.subarray(offset, offset + width);
  return BigInt(`0x${(order === 'be' ? part : Buffer.from(part).reverse()).toString('hex')}`);
}

function writePlace(bytes: Buffer, { offset, bytes: width, order }: Place, value: bigint): void {
  const part = Buffer.from(BigInt.asUintN(width * 8, value).toString(16).padStart(width * 2, '0'), 'hex');
  (order === 'be' ? part : part.reverse()).copy(bytes, offset);
}

function name({ offset, bytes, order }: Place): string {
  return `u${bytes * 8}${order} at ${offset}`;
}

function written(bytes: Buffer, place: Place, value: bigint): readonly [Buffer, string] {
  writePlace(bytes, place, value);
  return [bytes, `${name(place)} = 0x${readPlace(bytes, place).toString(16)}`];
}

/** Values at which readers go wrong: none, the largest, beside the present one, and sizes and offsets of the file in every unit. */
function interestingValue(bytes: Buffer, material: Material, random: Random): readonly [Buffer, string] {
  const place = pickPlace(material, bytes, random);
  const now = readPlace(bytes, place);
  const end = BigInt(bytes.length);
  const width = BigInt(place.bytes * 8);
  const sizes = [end, end - 512n, end - 65_536n, end + 512n, end / 512n, end / 512n - 1n, end / 2n ** 20n, end / 2n];
  const value = random.pick<() => bigint>([
    () => BigInt(random.between(0, 8)),
    () => 2n ** width - BigInt(random.between(1, 3)),
    () => 2n ** (width - 1n) - BigInt(random.between(0, 1)),
    () => now + BigInt(random.between(-2, 2)),
    () => now + 2n ** BigInt(random.between(0, Number(width) - 1)),
    () => now - 2n ** BigInt(random.between(0, Number(width) - 1)),
    () => now << 1n,
    () => now >> 1n,
    () => 2n ** BigInt(random.between(0, Number(width) - 1)),
    () => random.pick(sizes),
    () => (now & (0xffn << (width - 8n))) | random.pick(sizes),
    () => BigInt(random.between(0, bytes.length)) & ~511n,
    () => BigInt(random.between(0, 2 ** 32 - 1)),
  ])();
  return written(bytes, place, value);
}

/** Two fields that say the same: offsets that were different lead to one place. */
function copiedField(bytes: Buffer, material: Material, random: Random): readonly [Buffer, string] {
  const from = pickPlace(material, bytes, random);
  const kind = material.places.find((places) => places.includes(from)) ?? [];
  const to = kind.length > 1 && random.chance(0.7) ? random.pick(kind) : pickPlace(material, bytes, random);
  if (to.offset + to.bytes > bytes.length) return written(bytes, from, 0n);
  const value = readPlace(bytes, from);
  return written(bytes, to, random.chance(0.8) ? value : value + BigInt(random.pick([512, 1, 65_536, -512])));
}

function flippedFieldBit(bytes: Buffer, material: Material, random: Random): readonly [Buffer, string] {
  const place = pickPlace(material, bytes, random);
  return written(bytes, place, readPlace(bytes, place) ^ (1n << BigInt(random.between(0, place.bytes * 8 - 1))));
}

function flippedBit(bytes: Buffer, _material: Material, random: Random): readonly [Buffer, string] {
  const at = random.between(0, bytes.length - 1);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.between(0, 7));
  return [bytes, `a bit at ${at}`];
}

function otherBytes(bytes: Buffer, _material: Material, random: Random): readonly [Buffer, string] {
  const at = random.between(0, bytes.length - 1);
  const count = random.between(1, 16);
  for (let index = at; index < Math.min(bytes.length, at + count); index += 1) bytes[index] = random.between(0, 255);
  return [bytes, `${count} bytes at ${at}`];
}

function part(bytes: Buffer, random: Random): readonly [from: number, end: number] {
  const size = random.pick(partSizes);
  const from = random.between(0, Math.floor((bytes.length - 1) / size)) * size;
  return [from, Math.min(bytes.length, from + size)];
}

function filledPart(bytes: Buffer, _material: Material, random: Random): readonly [Buffer, string] {
  const [from, end] = part(bytes, random);
  const value = random.pick([0, 0, 0xff, 1]);
  return [bytes.fill(value, from, end), `${from} to ${end} filled with ${value}`];
}

/** One part of the image stands in another's place, or twice. */
function movedPart(bytes: Buffer, _material: Material, random: Random): readonly [Buffer, string] {
  const [from, end] = part(bytes, random);
  const to = random.between(0, Math.floor((bytes.length - 1) / 512)) * 512;
  bytes.copyWithin(to, from, end);
  return [bytes, `${from} to ${end} copied to ${to}`];
}

/** What follows is shifted. */
function repeatedPart(bytes: Buffer, _material: Material, random: Random): readonly [Buffer, string] {
  const [from, end] = part(bytes, random);
  return [Buffer.concat([bytes.subarray(0, end), bytes.subarray(from, end), bytes.subarray(end)]), `${from} to ${end} twice`];
}

function foreignPart(bytes: Buffer, { other }: Material, random: Random): readonly [Buffer, string] {
  const foreign = Buffer.from(other.bytes.buffer, other.bytes.byteOffset, other.bytes.byteLength);
  const [from, end] = part(foreign, random);
  const to = random.chance(0.6) ? from : random.between(0, Math.floor((bytes.length - 1) / 512)) * 512;
  foreign.copy(bytes, Math.min(to, bytes.length), from, end);
  return [bytes, `${from} to ${end} of ${other.name} at ${to}`];
}

function cutOff(bytes: Buffer, material: Material, random: Random): readonly [Buffer, string] {
  const end = random.pick<() => number>([
    () => bytes.length - random.between(1, Math.min(bytes.length, 1024)),
    () => random.between(0, Math.floor(bytes.length / 512)) * 512,
    () => random.between(0, Math.floor(bytes.length / 65_536)) * 65_536,
    () => pickPlace(material, bytes, random).offset + random.between(0, 8),
  ])();
  return [bytes.subarray(0, end), `cut off at ${end}`];
}

function extended(bytes: Buffer, { other }: Material, random: Random): readonly [Buffer, string] {
  const count = random.pick([1, 100, 512, 1024, 65_536, growthLimitBytes]);
  const [kind, more] = random.pick<readonly [string, () => Uint8Array]>([
    ['zeros', () => Buffer.alloc(count)],
    ['ones', () => Buffer.alloc(count, 0xff)],
    [`the end of ${other.name}`, () => other.bytes.slice(Math.max(0, other.bytes.length - count))],
    [`the beginning of ${other.name}`, () => other.bytes.slice(0, count)],
  ]);
  return [Buffer.concat([bytes, more()]), `${count} bytes more, ${kind}`];
}
