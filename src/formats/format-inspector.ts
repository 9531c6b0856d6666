import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ByteReader } from './reading/byte-reader.ts';
import type { Edges } from './reading/edges.ts';
import type { GuestDisk } from './guest/guest-disk.ts';
import type { WarningName } from './warning-table.ts';

/** What an image says about itself in its headers. `facts` are printable ASCII. */
export interface Description {
  readonly virtualSizeBytes: bigint;
  /** Where in the file the field stands that says so; 0 where the file's own size does. */
  readonly virtualSizeOffset: number;
  readonly warnings: readonly WarningName[];
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * What is known about one disk format. Everything but `recognise` refuses an image by throwing the failure of a check
 * (`refuse`), and throws nothing else however hostile the bytes are; memory stays below 4 MiB and reads are bounded,
 * whatever the file claims. No offset or length is used before it was compared with the file's size.
 */
export interface FormatInspector {
  readonly format: DiskFormat;
  /** The format's name in messages and metadata, such as `qcow2`. */
  readonly name: string;
  /** Whether the content claims to be of this format, going by its magic alone: a damaged image is recognised too. */
  recognise(edges: Edges): boolean;
  /**
   * Judges what the first bytes show, called for recognised content while the rest may still stream; `sizeBytes` is
   * undefined then. It may refuse only what `describe` would refuse as well.
   */
  checkHead(head: Uint8Array, sizeBytes: number | undefined): void;
  /** Judges headers, footers, descriptors and metadata of the stored bytes, and reads the virtual size. */
  describe(file: ByteReader): Description;
  /** Opens the guest's disk of an image that `describe` accepted. */
  open(file: ByteReader): GuestDisk;
}
