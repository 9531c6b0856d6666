import type { ExecutionContext } from 'ava';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A script that does what it is told a word at a time, with a bound on the size of its files: what a full disk is to it. */
export interface LimitedProcess {
  /** What the script answers: one line of JSON. */
  ask(word: string): Promise<unknown>;
  limitFiles(bytes: number | 'unlimited'): void;
  /** Lets the script end, and resolves when it has. */
  end(): Promise<void>;
}

/** Whether `startLimited` can work here; where it cannot, says so. */
export function canLimit(what: string): boolean {
  const hasPrlimit = spawnSync('prlimit', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!hasPrlimit) process.stderr.write(`prlimit is missing; ${what} is not tested. Install it with: apt-get install util-linux\n`);
  return hasPrlimit;
}

/** Starts a script of this folder on a data folder; resolves once it has said that it is ready. */
export async function startLimited(t: ExecutionContext, script: string, ...given: readonly string[]): Promise<LimitedProcess> {
  // The default of the signal that comes with the limit ends a process; ignored, writing fails as on a full disk.
  const command = ['-c', 'trap "" XFSZ; exec "$@"', 'sh', process.execPath, join(import.meta.dirname, script), ...given];
  const child = spawn('sh', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => JSON.parse(String((await answers.next()).value));
  t.is(await answer(), 'ready');
  return {
    ask(word) {
      child.stdin.write(`${word}\n`);
      return answer();
    },
    limitFiles(bytes) {
      t.is(spawnSync('prlimit', [`--pid=${child.pid ?? 0}`, `--fsize=${bytes}:`]).status, 0);
    },
    async end() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
