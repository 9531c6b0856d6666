import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { createTapCounter } from './tap-counter.ts';
import type { Counts } from './tap-counter.ts';

const root = path.resolve(import.meta.dirname, '..');

/** Between two lines of progress. */
const PROGRESS_INTERVAL_MS = 10_000;

/**
 * Runs the tests that `args` select (all where it is empty), prints each failure when it happens and a line of progress
 * every ten seconds, and gives AVA's own counts. A run that broke without a failed test counts as one failed.
 */
export async function runAva(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Counts> {
  const ava = path.join(root, 'scripts/ava-tap.ts');
  // What was compiled for one file of tests serves the others.
  const cached = { NODE_COMPILE_CACHE: path.join(root, '.cache/compiled'), ...env };
  const child = spawn(process.execPath, [ava, '--tap', ...args], { cwd: root, env: cached, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise<boolean>((resolve) => child.once('close', (code) => resolve(code === 0)));

  const tap = createTapCounter();
  const seen = { passed: 0, failed: 0, skipped: 0 };
  const progress = setInterval(() => console.log(`… ${seen.passed} passed, ${seen.failed} failed so far`), PROGRESS_INTERVAL_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    const read = tap.read(line);
    if (read.kind === 'failed') console.log(line);
    if (read.kind === 'detail') console.log(read.text);
    if (read.kind !== 'other' && read.kind !== 'detail') seen[read.kind] += 1;
  }
  clearInterval(progress);

  const succeeded = await exit;
  const totals = tap.totals() ?? seen;
  if (succeeded || totals.failed > 0) return totals;
  console.log('AVA ended with an error although no test failed.');
  return { ...totals, failed: 1 };
}
