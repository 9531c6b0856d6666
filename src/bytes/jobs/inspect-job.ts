import { inspectInSteps } from '../../formats/inspect.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { InspectJob } from '../messages.ts';
import type { JobContext } from './job-context.ts';
import { openStoredFile } from './stored-file.ts';

/**
 * Judges the bytes of a stored file, tables and guest's disk included. Rejects with FailureError where the store cannot give
 * the bytes, and with `JobAbortedError`; what is wrong with the bytes themselves is the verdict.
 */
export async function inspectJob({ path, name, declared, depth, ...limits }: InspectJob, context: JobContext): Promise<Verdict> {
  const file = openStoredFile(path, name);
  try {
    const steps = inspectInSteps(file, declared, limits, depth);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      const pause = context.pause(step.value.bytesDone, step.value.bytesTotal);
      if (pause !== undefined) await pause;
    }
  } finally {
    file.close();
  }
}
