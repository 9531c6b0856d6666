import { volumeHeadBytes, volumeOf, volumeSectors } from './file-systems.ts';
import { readMbrEntries } from './mbr.ts';
import { SectorWatch, watchedSectorBytes } from './sector-watch.ts';

/** So many partitions are looked into. */
export const partitionLimit = 128;

/**
 * Finds out what partitions hold while their disk goes by once. Of each it keeps only the sectors in which a magic may be,
 * about 1 MiB for all together.
 */
export class PartitionProbe {
  readonly #watch = new SectorWatch(partitionLimit * (volumeSectors.length + 1));
  readonly #kept: Map<number, Uint8Array>[] = [];
  #logical = 0;

  /** How many logical partitions the chains of extended boot records led to. */
  get logicalPartitions(): number {
    return this.#logical;
  }

  /** Looks into the partition that begins at `startByte`, if it did not go by yet. */
  addPartition(startByte: number): void {
    if (this.#kept.length >= partitionLimit) return;
    const kept = new Map<number, Uint8Array>();
    this.#kept.push(kept);
    for (const sector of volumeSectors) {
      this.#watch.watch(startByte + sector * watchedSectorBytes, (bytes) => kept.set(sector, Uint8Array.from(bytes)));
    }
  }

  /**
   * Follows the chain of boot records of an extended partition: each names one logical partition, counted from itself, and
   * the next record, counted from the first. A chain that leads backwards is left, so that it always ends.
   */
  addExtended(startByte: number): void {
    this.#watchRecord(startByte, startByte);
  }

  /** Shows the bytes at `offset`, a multiple of 512; offsets ascend, and what is left out is zeros. */
  pass(offset: number, bytes: Uint8Array): void {
    this.#watch.pass(offset, bytes);
  }

  /** The names of what the partitions hold, in order, each once. */
  names(): readonly string[] {
    const head = new Uint8Array(volumeHeadBytes);
    const names = this.#kept.map((kept) => {
      head.fill(0);
      for (const [sector, bytes] of kept) head.set(bytes, sector * watchedSectorBytes);
      return volumeOf(head)?.name;
    });
    return [...new Set(names)].filter((name) => name !== undefined);
  }

  #watchRecord(offset: number, chainStart: number): void {
    this.#watch.watch(offset, (sector) => {
      const [logical, next] = readMbrEntries(sector);
      if (logical?.kind === 'primary' && this.#logical < partitionLimit) {
        this.#logical += 1;
        this.addPartition(offset + logical.startByte);
      }
      const link = [logical, next].find((entry) => entry?.kind === 'extended');
      const linked = chainStart + (link?.startByte ?? 0);
      if (link && this.#logical < partitionLimit && linked > offset) this.#watchRecord(linked, chainStart);
    });
  }
}
