/**
 * The test command. Without arguments it proves everything that must hold: tools, lint, types, build, the contract and
 * all tests. With arguments (`npm test -- test/formats`) it runs the tests that they select and nothing else. The last
 * line is `N passed, N failed`, with `, N skipped` where something was.
 */
import { CHECKS } from './checks.ts';
import type { Check } from './checks.ts';
import { runAva } from './run-ava.ts';
import type { Counts } from './tap-counter.ts';
import { findTools } from './tools.ts';
import type { ToolReport } from './tools.ts';

/** Checks that run at once: one for each of the two cores that this is tuned for. */
const CHECKS_AT_ONCE = 2;

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

async function runCheck({ name, run }: Check): Promise<Counts> {
  const startMs = performance.now();
  const { succeeded, output } = await run().catch((error: unknown) => ({ succeeded: false, output: String(error) }));
  console.log(succeeded ? `ok      ${name} (${seconds(startMs)})` : `FAILED  ${name} (${seconds(startMs)})\n${output.trimEnd()}`);
  return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
}

async function runChecks(): Promise<readonly Counts[]> {
  const waiting = [...CHECKS];
  const counts: Counts[] = [];
  const runner = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) counts.push(await runCheck(check));
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, runner));
  return counts;
}

/** A missing tool is a failure where the machine is there to test (`CI=true`); elsewhere a person may do without it. */
function reportTools({ missing }: ToolReport): Counts {
  const isFailure = process.env['CI'] === 'true';
  if (missing.length === 0) console.log('ok      tools');
  for (const sentence of missing) console.log(`${isFailure ? 'FAILED ' : 'skipped'} ${sentence}`);
  return {
    passed: missing.length === 0 ? 1 : 0,
    failed: isFailure ? missing.length : 0,
    skipped: isFailure ? 0 : missing.length,
  };
}

const selection = process.argv.slice(2);
const tools = findTools();
const counts: Counts[] = selection.length === 0 ? [...(await runChecks()), reportTools(await tools)] : [];

console.log(selection.length === 0 ? 'running the tests' : `running the tests in ${selection.join(' ')}`);
const startMs = performance.now();
counts.push(await runAva(selection, { ...process.env, TEST_TOOLS: (await tools).available.join(',') }));
console.log(`ran the tests in ${seconds(startMs)}`);

const sum = (key: keyof Counts): number => counts.reduce((total, count) => total + count[key], 0);
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
