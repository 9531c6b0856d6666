import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { killedWaitMs } from './bounds.ts';

/** A namespace ends within a moment of its first process. */
const lookAgainMs = 2;

/**
 * Waits until nothing of a sandbox lives, given what bubblewrap told about its start. bubblewrap itself is gone as soon as the
 * program is; its first process in the namespace is killed then, and by the kernel everything else there with it. Only when that
 * process is a zombie, or reaped, does nobody hold the files any more. Rejects where nothing but a kernel that hangs takes so long.
 */
export async function awaitNamespaceEnd(info: string): Promise<void> {
  const [, pid] = /"child-pid": (\d+)/.exec(info) ?? [];
  if (pid === undefined) return;
  const deadline = performance.now() + killedWaitMs;
  while (await lives(pid)) {
    if (performance.now() > deadline) throw new Error(`Process ${pid} of a sandbox was killed and does not end.`);
    await setTimeout(lookAgainMs);
  }
}

/** The state stands behind the name in parentheses (proc(5)); another name means that the number has been given to another process. */
async function lives(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return /^\d+ \(bwrap\) [^ZX]/.test(stat);
}
