import { failure } from '../domain/failures.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { quoteOf } from '../sandbox/quote.ts';
import type { ProgramEnding } from '../sandbox/start-program.ts';
import { storeFailure } from '../stores/store-failure.ts';

/** What strerror(3) says under LC_ALL=C, and the code that it says it of. */
const fullStore: readonly (readonly [text: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
];

/**
 * The failure that qemu-img ended with; undefined where it succeeded without a word on standard error: it has none for a sound
 * image. Any death by a signal is the image's doing until the opposite is shown, and is not tried again; only a full store is the
 * system's. `name` is the converted file's, relative to the store.
 */
export function conversionFailure(ending: ProgramEnding, name: string, maxBytes: number): Failure | undefined {
  switch (ending.kind) {
    case 'exited':
      return ending.code === 0 && ending.errorTail === '' ? undefined : exitFailure(ending.code, ending.errorTail, name, maxBytes);
    case 'signaled':
      if (ending.signal === 'SIGXFSZ') return tooLarge(maxBytes);
      return failure(
        'CONVERSION_FAILED',
        `qemu-img died of ${ending.signal} while it converted the image. Convert it elsewhere, or ask for no other format than it has.`,
        { signal: ending.signal },
      );
    case 'flooded':
      return failure('CONVERSION_FAILED', 'qemu-img printed far more than it ever should and was killed. Convert the image elsewhere.');
    default:
      return ending satisfies never;
  }
}

function exitFailure(code: number, errorTail: string, name: string, maxBytes: number): Failure {
  if (errorTail.includes('File too large')) return tooLarge(maxBytes);
  const full = fullStore.find(([text]) => errorTail.includes(text));
  if (full !== undefined) return storeFailure(Object.assign(new Error(full[0]), { code: full[1] }), name, 0);
  const said = quoteOf(errorTail);
  const message = `qemu-img ${code === 0 ? 'complained' : 'failed with'} "${said}". Convert the image elsewhere, or ask for no other format than it has.`;
  return failure('CONVERSION_FAILED', message, { exit_code: String(code), stderr: said });
}

function tooLarge(maxBytes: number): Failure {
  const message = `The converted image would be larger than the limit of ${maxBytes} bytes. Choose a format that keeps no zeros, or ask the operator to raise max-image-bytes.`;
  return failure('CONVERSION_FAILED', message, { max_image_bytes: String(maxBytes) });
}
