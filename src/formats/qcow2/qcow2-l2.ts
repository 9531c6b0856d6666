import type { Qcow2Extents } from './qcow2-extents.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';
import { qcow2EntryOffset } from './qcow2-table.ts';
import type { Qcow2TablePiece } from './qcow2-table.ts';
import type { Qcow2Use } from './qcow2-use.ts';
import { refuse } from '../refuse.ts';

/** What the upper half of an entry says, and what is reserved there and in the lower half. */
const copiedFlag = 0x8000_0000;
const compressedFlag = 0x4000_0000;
const reservedHigh = 0x3f00_0000;
const reservedLow = 0x1fe;
/** In the lower half: the cluster reads as zeros. */
const zeroFlag = 1;
const subclusters = 32;
const allSubclusters = 0xffff_ffff;
const sectorBytes = 512;
/** What a byte of deflate decodes to at most, and the least that zstd needs: a frame's head, and 4 bytes for each block. */
const deflateRatio = 1032;
const zstdHeadBytes = 6;
const zstdBlockBytes = 128 * 1024;

/** Judges the entries of L2 tables and passes on what they say (qcow2.txt, "Cluster mapping" and "Extended L2 Entries"). */
export class Qcow2L2Reader {
  readonly #layout: Qcow2Layout;
  readonly #extents: Qcow2Extents;
  readonly #use: Qcow2Use | undefined;
  readonly #reservedLow: number;
  readonly #unalignedLow: number;
  readonly #leastCompressedBytes: number;
  #compressedBytes = 0;

  constructor(layout: Qcow2Layout, extents: Qcow2Extents, use: Qcow2Use | undefined) {
    this.#layout = layout;
    this.#extents = extents;
    this.#use = use;
    const { version, isExtended, clusterBytes, codec } = layout;
    this.#reservedLow = version === 2 || isExtended ? reservedLow | zeroFlag : reservedLow;
    this.#unalignedLow = (clusterBytes - 1) & ~(reservedLow | zeroFlag);
    this.#leastCompressedBytes =
      codec === 'zstd' ? zstdHeadBytes + 4 * Math.ceil(clusterBytes / zstdBlockBytes) : Math.ceil(clusterBytes / deflateRatio);
  }

  read(piece: Qcow2TablePiece): void {
    const { isExtended, clusterBytes } = this.#layout;
    const entryBytes = isExtended ? 16 : 8;
    for (let at = 0; at + entryBytes <= piece.view.byteLength; at += entryBytes) {
      // Signed: numbers of 32 bits with a sign cost no memory.
      const high = piece.view.getInt32(at);
      const low = piece.view.getInt32(at + 4);
      if (high & compressedFlag) {
        this.#compressed(piece, at, high, low);
        continue;
      }
      const offset = this.#hostCluster(piece, at, high, low);
      if (isExtended) this.#subclusters(piece, at, offset);
      else if (offset === 0 || low & zeroFlag) this.#extents.zero(clusterBytes);
      else this.#extents.stored(offset, clusterBytes);
    }
  }

  /** The cluster of the file that a standard entry names; 0: none. */
  #hostCluster({ offset: tableOffset, view }: Qcow2TablePiece, at: number, high: number, low: number): number {
    if (high === 0 && low === 0) return 0;
    const offset = tableOffset + at;
    if (high & reservedHigh || low & this.#reservedLow) {
      const value = `0x${view.getBigUint64(at).toString(16)}`;
      refuse('qcow2.l2_entry', `The L2 entry at ${offset} uses bits that are reserved (${value}).`, { offset, value });
    }
    const host = qcow2EntryOffset(high, low);
    if (host === 0) return 0;
    const { clusterBytes, fileBytes } = this.#layout;
    if (low & this.#unalignedLow || host >= fileBytes) {
      const value = BigInt(host);
      refuse('qcow2.cluster', `The L2 entry at ${offset} leads to ${value}, which is not aligned or not inside the file.`, { offset, value });
    }
    this.#use?.alone(host, clusterBytes, offset);
    return host;
  }

  /** The 32 states of an extended entry: the upper half of its bitmap says which read as zeros, the lower which are stored. */
  #subclusters({ offset: tableOffset, view }: Qcow2TablePiece, at: number, host: number): void {
    const zeros = view.getUint32(at + 8);
    const stored = view.getUint32(at + 12);
    if ((zeros & stored) !== 0 || (host === 0 && stored !== 0)) {
      const offset = tableOffset + at + 8;
      const value = `0x${view.getBigUint64(at + 8).toString(16)}`;
      refuse('qcow2.l2_entry', `The subclusters at ${offset} are in states that are impossible (${value}).`, { offset, value });
    }
    const { clusterBytes } = this.#layout;
    if (stored === 0) return this.#extents.zero(clusterBytes);
    if (stored === allSubclusters) return this.#extents.stored(host, clusterBytes);
    const subclusterBytes = clusterBytes / subclusters;
    for (let index = 0; index < subclusters; index += 1) {
      if (stored & (1 << index)) this.#extents.stored(host + index * subclusterBytes, subclusterBytes);
      else this.#extents.zero(subclusterBytes);
    }
  }

  /** A compressed cluster: its offset, below it the number of further sectors that its data touch. */
  #compressed({ offset: tableOffset, view }: Qcow2TablePiece, at: number, high: number, low: number): void {
    const { clusterBits, clusterBytes, fileBytes, isExtended } = this.#layout;
    const offset = tableOffset + at;
    if (high & copiedFlag || (isExtended && view.getBigUint64(at + 8) !== 0n)) {
      const value = `0x${view.getBigUint64(at).toString(16)}`;
      refuse('qcow2.l2_entry', `The L2 entry at ${offset} of a compressed cluster has flags that it cannot have (${value}).`, { offset, value });
    }
    // Of the 62 bits below the flags the uppermost `clusterBits` - 8 count sectors; their border is in the upper half.
    const offsetBits = 62 - (clusterBits - 8) - 32;
    const host = (high & (2 ** offsetBits - 1)) * 2 ** 32 + (low >>> 0);
    const sectors = ((high & (compressedFlag - 1)) >>> offsetBits) + 1;
    if (host >= fileBytes) {
      const value = BigInt.asUintN(offsetBits + 32, view.getBigUint64(at));
      refuse('qcow2.compressed', `The L2 entry at ${offset} leads to compressed data at ${value}, beyond the end of the file.`, { offset, value });
    }
    const storedBytes = Math.min(sectors * sectorBytes - (host % sectorBytes), fileBytes - host);
    this.#countCompressed(storedBytes, offset);
    this.#use?.together(host, storedBytes, offset);
    this.#extents.compressed(host, storedBytes, clusterBytes);
  }

  /**
   * Compressed clusters do not overlap, save that the last sector of one may be the first of the next. So all together fit
   * into the file, and an image that refers to the same data over and over decodes to no more than an honest one can.
   */
  #countCompressed(storedBytes: number, offset: number): void {
    this.#compressedBytes += Math.max(this.#leastCompressedBytes, storedBytes - (sectorBytes - 1));
    if (this.#compressedBytes <= this.#layout.fileBytes) return;
    refuse('qcow2.compressed', `The compressed clusters up to the L2 entry at ${offset} are larger together than the file.`, {
      offset,
      value: this.#compressedBytes,
    });
  }
}
