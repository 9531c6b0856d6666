/**
 * The test command. Without arguments it proves everything that must hold: tools, lint, types, build, the contract and
 * all tests. With arguments (`npm test -- test/formats`) it runs the tests that they select and nothing else. The last
 * line is `N passed, N failed`, with `, N skipped` where something was.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

import { CHECKS } from './checks.ts';
import type { Check } from './checks.ts';
import { runAva } from './run-ava.ts';
import { startTestServers } from './servers/start-test-servers.ts';
import type { TestServers } from './servers/start-test-servers.ts';
import type { Counts } from './tap-counter.ts';
import { findTools } from './tools.ts';
import type { ToolReport } from './tools.ts';

/** Selections whose tests share a Kafka broker and a nats-server; other tests that ask for one start their own. */
const WITH_SERVERS = /kafka|nats|cluster|servers/;

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

async function runCheck({ name, run }: Check): Promise<Counts> {
  const startMs = performance.now();
  const { succeeded, output } = await run().catch((error: unknown) => ({ succeeded: false, output: String(error) }));
  console.log(succeeded ? `ok      ${name} (${seconds(startMs)})` : `FAILED  ${name} (${seconds(startMs)})\n${output.trimEnd()}`);
  return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
}

async function runInTurn(checks: readonly Check[]): Promise<readonly Counts[]> {
  const counts: Counts[] = [];
  for (const check of checks) counts.push(await runCheck(check));
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

function reportServers({ faults }: TestServers): Counts {
  for (const fault of faults) console.log(`FAILED  servers: ${fault}`);
  return { passed: 0, failed: faults.length, skipped: 0 };
}

const selection = process.argv.slice(2);
const needsServers = selection.length === 0 || selection.some((argument) => WITH_SERVERS.test(argument));
const tools = findTools();
const servers = tools.then(({ available }) => startTestServers(needsServers ? available : []));
const checks = selection.length === 0 ? CHECKS : [];
// On the other one of the two cores that this is tuned for; most tests leave it time.
const besideTests = runInTurn(checks.filter((check) => check.besideTests === true));
const counts: Counts[] = [...(await runInTurn(checks.filter((check) => check.besideTests !== true)))];
if (selection.length === 0) counts.push(reportTools(await tools));
counts.push(reportServers(await servers));

console.log(selection.length === 0 ? 'running the tests' : `running the tests in ${selection.join(' ')}`);
const startMs = performance.now();
const command = path.resolve(import.meta.dirname, '../dist/command/main.js');
// Only the check "build" proves that what is in dist was built from this source.
const built = selection.length === 0 && existsSync(command) ? { TEST_LEHR: command } : {};
const env = { ...process.env, ...(await servers).env, ...built, TEST_TOOLS: (await tools).available.join(',') };
counts.push(await runAva(selection, env));
await (await servers).stop();
console.log(`ran the tests in ${seconds(startMs)}`);
counts.push(...(await besideTests));

const sum = (key: keyof Counts): number => counts.reduce((total, count) => total + count[key], 0);
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
