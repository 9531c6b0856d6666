import { createHash } from 'node:crypto';
import type { DigestJob } from '../messages.ts';
import type { StagedResult } from '../staged-file.ts';
import type { JobContext } from './job-context.ts';
import { openStoredFile } from './stored-file.ts';

const pieceBytes = 1024 * 1024;

/** The size and digest of a stored file. Rejects as `inspectJob` does. */
export async function digestJob({ path, name }: DigestJob, context: JobContext): Promise<StagedResult> {
  const file = openStoredFile(path, name);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    for (let done = 0; done < file.sizeBytes; done += pieceBytes) {
      hash.update(file.read(done, pieceBytes, buffer));
      const pause = context.pause(done, file.sizeBytes);
      if (pause !== undefined) await pause;
    }
    return { sizeBytes: file.sizeBytes, digest: `sha256:${hash.digest('hex')}` };
  } finally {
    file.close();
  }
}
