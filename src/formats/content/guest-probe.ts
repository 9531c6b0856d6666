import { headBytes, tailBytes } from '../reading/edges.ts';
import type { Edges } from '../reading/edges.ts';
import { hasBootSignature, volumeOf } from './file-systems.ts';
import { readGpt } from './gpt.ts';
import { hasIsoDescriptor, readIsoVolume } from '../iso/iso-volume.ts';
import { readMbrEntries } from './mbr.ts';
import { nestedFormatOf } from './nested-format.ts';
import type { NestedFormat } from './nested-format.ts';
import { readApplePartitionMap, readDisklabel } from './old-tables.ts';
import { PartitionProbe, partitionLimit } from './partition-probe.ts';
import { partitionTableOf } from './raw-content.ts';
import { hasAt } from '../reading/signature.ts';

/** Facts about what a disk holds are at most so long. */
const factLimit = 200;

/**
 * What a guest's disk holds. `facts`: `content`, such as `GPT, 3 partitions, ext4, FAT, swap`, and its parts
 * `partition_table`, `partitions` (how many) and `file_systems`; only what was found, in printable ASCII. `nested`: the disk
 * as a whole is an image of another format, which `checkNested` refuses.
 */
export interface GuestContent {
  readonly facts: Readonly<Record<string, string>>;
  readonly nested?: NestedFormat;
}

/** A partition table: its name and how many partitions it has, where that is known. */
interface PartitionTable {
  readonly name: string;
  readonly partitions: number | undefined;
}

/**
 * Finds out what a guest's disk holds while it goes by once: `take` its bytes in ascending order, then `finish`. Keeps
 * about 1.5 MiB, whatever the disk holds, and throws nothing.
 */
export class GuestProbe {
  readonly #head = new Uint8Array(headBytes);
  readonly #tail = new Uint8Array(tailBytes);
  #tailEnd = 0;
  readonly #partitions = new PartitionProbe();
  #table: PartitionTable | undefined;
  #isHeadRead = false;

  /**
   * Takes the bytes at `offset`. Offsets ascend and are multiples of 512, as lengths are but at the disk's end; what is left
   * out is zeros. The bytes are not kept.
   */
  take(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (offset < headBytes) this.#head.set(bytes.subarray(0, headBytes - offset), offset);
    this.#moveTail(end);
    const last = bytes.subarray(Math.max(0, bytes.length - tailBytes));
    this.#tail.set(last, tailBytes - last.length);
    if (end <= headBytes) return;
    this.#readHead();
    this.#partitions.pass(offset, bytes);
  }

  /** What the disk of `sizeBytes` holds, after all of it was taken. */
  finish(sizeBytes: bigint): GuestContent {
    this.#readHead();
    const size = Number(sizeBytes);
    this.#moveTail(size);
    const head = this.#head.subarray(0, Math.min(headBytes, size));
    const edges: Edges = { head, tail: this.#tail.subarray(Math.max(0, tailBytes - size)), sizeBytes: size };
    const nested = nestedFormatOf(edges);
    return { facts: this.#facts(edges), ...(nested ? { nested } : {}) };
  }

  /** Lets the last bytes end at `end`, with zeros up to there. */
  #moveTail(end: number): void {
    const step = end - this.#tailEnd;
    if (step <= 0) return;
    this.#tailEnd = end;
    if (step >= tailBytes) this.#tail.fill(0);
    else this.#tail.copyWithin(0, step).fill(0, tailBytes - step);
  }

  #readHead(): void {
    if (this.#isHeadRead) return;
    this.#isHeadRead = true;
    this.#table = this.#readTable(this.#head);
    this.#partitions.pass(0, this.#head);
  }

  #readTable(head: Uint8Array): PartitionTable | undefined {
    const name = partitionTableOf(head);
    if (name === undefined) return undefined;
    if (name === 'GPT') return this.#readGptTable(head);
    if (name === 'MBR') return this.#readMbrTable(head);
    const { partitions, starts } = name === 'BSD disklabel' ? readDisklabel(head, partitionLimit) : readApplePartitionMap(head, partitionLimit);
    for (const start of starts) this.#partitions.addPartition(start);
    return { name, partitions };
  }

  #readGptTable(head: Uint8Array): PartitionTable {
    const gpt = readGpt(head, partitionLimit);
    if (gpt?.kind !== 'sound') return { name: 'GPT (damaged)', partitions: undefined };
    for (const start of gpt.starts) this.#partitions.addPartition(start);
    const entries = readMbrEntries(head);
    const isProtected = entries.some(({ kind }) => kind === 'protective');
    const kind = isProtected ? (entries.length > 1 ? ' (hybrid MBR)' : '') : ' (no protective MBR)';
    return { name: `GPT${kind}`, partitions: gpt.partitions };
  }

  #readMbrTable(head: Uint8Array): PartitionTable {
    const entries = readMbrEntries(head);
    for (const { kind, startByte } of entries) {
      if (kind === 'extended') this.#partitions.addExtended(startByte);
      else this.#partitions.addPartition(startByte);
    }
    return { name: 'MBR', partitions: entries.filter(({ kind }) => kind !== 'extended').length };
  }

  #facts({ head, tail }: Edges): Readonly<Record<string, string>> {
    const table = hasAt(tail, 0, 'EFI PART') && this.#table?.name === 'MBR' ? { ...this.#table, name: 'GPT (backup alone)' } : this.#table;
    const partitions = table?.partitions === undefined ? undefined : table.partitions + this.#partitions.logicalPartitions;
    const discs = hasIsoDescriptor(head) ? [readIsoVolume(head).isUdf ? 'UDF' : 'ISO 9660'] : [];
    const whole = table || discs.length > 0 ? undefined : volumeOf(head)?.name;
    const fileSystems = [...new Set([...discs, ...(whole === undefined ? [] : [whole]), ...this.#partitions.names()])];
    const content = [
      ...(table ? [table.name] : []),
      ...(partitions === undefined ? [] : [`${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`]),
      ...fileSystems,
      ...(table || fileSystems.length > 0 || !hasBootSignature(head) ? [] : ['boot sector']),
    ];
    const facts = {
      content: content.join(', '),
      partition_table: table?.name ?? '',
      partitions: partitions?.toString() ?? '',
      file_systems: fileSystems.join(', '),
    };
    return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== '').map(([name, value]) => [name, value.slice(0, factLimit)]));
  }
}
