import { FailureError } from '../../src/domain/failures.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import type { SourceSettings } from '../../src/sources/create-sources.ts';
import type { Receiver, SourceStart } from '../../src/sources/source.ts';
import { openly } from '../../src/sources/source.ts';

/** The settings of the tests. */
export const settings: SourceSettings = {
  fileRoots: [],
  sourceAllow: [{ kind: 'private', port: undefined }],
  idleTimeoutMs: 60_000,
  maxImageBytes: 4 * 1024 * 1024,
  now: () => new Date('2026-01-01T00:00:00Z'),
};

/** A receiver that keeps everything. */
export function keepingReceiver(): Receiver & { readonly starts: SourceStart[]; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  const starts: SourceStart[] = [];
  return {
    starts,
    bytes: () => Buffer.concat(chunks),
    begin: (start) => void starts.push(start),
    receive(chunk) {
      chunks.push(Buffer.from(chunk));
      return undefined;
    },
  };
}

/** What a failed read says, in the parts that do not differ from run to run. */
export interface FailedRead {
  readonly reason: string;
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads a source that must fail, and answers with what it says. */
export async function readFailing(uri: string, changed: Partial<SourceSettings> = {}): Promise<FailedRead & { readonly message: string }> {
  const sources = createSources({ ...settings, ...changed });
  try {
    await sources.read(openly(uri), keepingReceiver(), new AbortController().signal);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, retryable, metadata, message } = error.failure;
    return { reason, retryable, metadata, message };
  } finally {
    await sources.close();
  }
  throw new Error('The source was read to its end.');
}
