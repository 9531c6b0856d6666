import { refuse } from '../refuse.ts';

/**
 * Reads numbers and text out of a header. A field that reaches beyond the bytes refuses the image with the check
 * `truncated`, so a parser needs no length checks of its own and a cut-off header is never an exception of another kind.
 *
 * `what` names the structure for the message, such as `qcow2 header`; `offset` is where it begins in the file.
 */
export class Fields {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly what: string;
  private readonly offset: number;

  constructor(bytes: Uint8Array, what: string, offset = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.what = what;
    this.offset = offset;
  }

  u8(at: number): number {
    return this.view.getUint8(this.within(at, 1));
  }

  u16be(at: number): number {
    return this.view.getUint16(this.within(at, 2));
  }

  u16le(at: number): number {
    return this.view.getUint16(this.within(at, 2), true);
  }

  u32be(at: number): number {
    return this.view.getUint32(this.within(at, 4));
  }

  u32le(at: number): number {
    return this.view.getUint32(this.within(at, 4), true);
  }

  u64be(at: number): bigint {
    return this.view.getBigUint64(this.within(at, 8));
  }

  u64le(at: number): bigint {
    return this.view.getBigUint64(this.within(at, 8), true);
  }

  slice(at: number, length: number): Uint8Array {
    return this.bytes.subarray(this.within(at, length), at + length);
  }

  /** One character a byte, zeros included. */
  text(at: number, length: number): string {
    return latin1(this.slice(at, length));
  }

  private within(at: number, length: number): number {
    if (at + length <= this.bytes.length) return at;
    const end = this.offset + this.bytes.length;
    return refuse('truncated', `The file ends inside its ${this.what}, after ${end} bytes.`, {
      structure: this.what,
      bytes_found: end,
      offset: this.offset + at,
      value: `${Math.max(0, this.bytes.length - at)} of ${length} bytes`,
    });
  }
}

/** The bytes as text, one character a byte, so that every byte survives. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
