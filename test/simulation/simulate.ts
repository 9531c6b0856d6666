/** The command behind `npm run simulate`: runs seeds for a time or a number, and stops at the first that breaks an invariant. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { describeReport } from './describe-report.ts';
import { simulateSeed } from './simulate-seed.ts';

const help = `Runs the service over simulated ports with crashes and other faults, and checks its invariants.

  npm run simulate                          one minute of fresh seeds
  npm run simulate -- --minutes 30          half an hour of them
  npm run simulate -- --from 1 --count 5000 these seeds
  npm run simulate -- --seed 4711           one seed again

  --seed N      runs one seed and prints its last steps and what happened how often
  --from N      the first seed (a random one)
  --count N     how many seeds (no limit)
  --minutes N   stops after so long (1, or no limit with --count)
  --help        prints this

Exit code 0: every invariant held. 1: one did not; the seed is printed. 2: the flags make no sense.
`;

/** Progress is told so often. */
const progressEveryMs = 2_000;

/** Seeds that are drawn at random lie below this. */
const seedLimit = 2 ** 31;

const flags = { seed: { type: 'string' }, from: { type: 'string' }, count: { type: 'string' }, minutes: { type: 'string' }, help: { type: 'boolean' } } as const;

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new TypeError(`--${name} ${text} is no number from 0 on`);
  return value;
}

async function runOne(seed: number): Promise<number> {
  const report = await simulateSeed(seed);
  if (report.violation === undefined) console.log(report.trace.join('\n'));
  console.log(describeReport(report));
  console.log([...report.counts].toSorted().map(([what, count]) => `${String(count).padStart(6)}  ${what}`).join('\n'));
  return report.violation === undefined ? 0 : 1;
}

async function runMany(from: number, count: number, limitMs: number): Promise<number> {
  const startMs = performance.now();
  let toldMs = startMs;
  let steps = 0;
  let virtualMs = 0;
  let seeds = 0;
  const progress = (): string => `${seeds} seeds from ${from} on, ${steps} steps, ${Math.round(virtualMs / 3_600_000)} h of virtual time`;
  for (; seeds < count && performance.now() - startMs < limitMs; seeds += 1) {
    const report = await simulateSeed(from + seeds);
    steps += report.steps;
    virtualMs += report.virtualMs;
    if (report.violation !== undefined) {
      console.log(describeReport(report));
      return 1;
    }
    if (performance.now() - toldMs >= progressEveryMs) {
      toldMs = performance.now();
      console.error(progress());
    }
  }
  console.log(`every invariant held: ${progress()}, ${((performance.now() - startMs) / 1_000).toFixed(1)} s`);
  return 0;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: flags, strict: true });
  if (values.help === true) {
    console.log(help);
    return 0;
  }
  const seed = numberOf('seed', values.seed);
  if (seed !== undefined) return runOne(seed);
  const count = numberOf('count', values.count);
  const minutes = numberOf('minutes', values.minutes) ?? (count === undefined ? 1 : Infinity);
  return runMany(numberOf('from', values.from) ?? randomInt(seedLimit), count ?? Infinity, minutes * 60_000);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${help}`);
  process.exitCode = 2;
}
