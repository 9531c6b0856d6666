import { createHash } from 'node:crypto';

import type { Image } from '../../gen/lehr/v1/image.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { pauseBeforeRetry } from '../pause.ts';
import { isUnavailable } from '../resume-stream.ts';
import type { ByteSource } from './byte-source.ts';

/** How often in a row a transfer is taken up again without a single byte coming; with the pauses between, about ten seconds. */
export const resumeTries = 8;

/**
 * The image's bytes, all of them, in order. A connection that drops is taken up again where it broke; after the last byte the
 * number of bytes and their digest are compared with the image's, and `CommandError` (DATA_LOSS, exit code 1) is thrown where they differ.
 */
export async function* readVerified(
  image: Image, source: ByteSource, onResume: (error: CommandError) => void, signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let offset = 0n;
  for (let tries = 0; offset < image.sizeBytes;) {
    try {
      for await (const bytes of source.read(offset, signal)) {
        tries = 0;
        offset += BigInt(bytes.length);
        if (offset > image.sizeBytes) throw mismatch(image, `more than the ${image.sizeBytes} bytes of the image came`);
        hash.update(bytes);
        yield bytes;
      }
      if (offset < image.sizeBytes) throw cutShort(image, offset);
    } catch (error) {
      if (!isUnavailable(error) || (offset === 0n && error.reason === 'SERVER_UNREACHABLE')) throw error;
      tries += 1;
      if (tries === resumeTries) throw error;
      if (tries === 1) onResume(error);
      await pauseBeforeRetry(tries, signal);
    }
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== image.digest) throw mismatch(image, `the bytes have the digest ${digest} and not ${image.digest}`);
}

function cutShort({ sizeBytes }: Image, offset: bigint): CommandError {
  return new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'CUT_SHORT', `the transfer ended after ${offset} of ${sizeBytes} bytes`);
}

function mismatch(image: Image, message: string): CommandError {
  return new CommandError(exitCodes.failed, 'DATA_LOSS', 'DOWNLOAD_MISMATCH', `image ${image.id} did not come through whole: ${message}`, {
    hints: ['nothing was kept; try again, and if it repeats, the stored image is damaged'],
  });
}
