import type { StreamCodec } from '../formats/wrapper.ts';
import { decodeBzip2 } from './bzip2/bzip2.ts';
import { decodeGzip } from './gzip.ts';
import type { Decode } from './piece.ts';
import { decodeXz } from './xz.ts';
import { decodeZstd } from './zstd.ts';

/** The decoder of each codec. */
export const decoders: Readonly<Record<StreamCodec, Decode>> = { gzip: decodeGzip, xz: decodeXz, zstd: decodeZstd, bzip2: decodeBzip2 };
