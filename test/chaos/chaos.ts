/** The command behind `npm run chaos`: real processes under load and faults, and what must hold all the same. */
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { describeReport } from './chaos-report.ts';
import { runChaos } from './run-chaos.ts';

const help = `Three nodes, three Kafka brokers and a nats-server under load, while a seeded schedule kills, pauses and cuts them off and heals
them again; at the end all that was acknowledged is checked, and every call of every client against a model.

  npm run chaos                        ten minutes with a fresh seed
  npm run chaos -- --minutes 60        an hour
  npm run chaos -- --seed 4711         the plan of this seed again; what it meets differs from run to run

  --seed N       the seed of load and faults (a random one)
  --minutes N    how long there are load and faults (10)
  --longest N    no fault lasts longer than so many seconds (30)
  --rate N       tasks that are asked for per second (6)
  --embedded     one server with its log in SQLite instead of a cluster
  --keep         keeps data and logs although every rule held
  --json         prints the report as JSON
  --quiet        tells nothing on the way
  --help         prints this

Exit code 0: every rule held. 1: one did not; the first is printed with its evidence, and the folder with data and logs stays.
2: the flags make no sense. 130: interrupted.
`;

/** Seeds that are drawn at random lie below this. */
const seedLimit = 2 ** 31;

/** The exit code of a program that was interrupted. */
const interruptedCode = 130;

/** An interrupt that comes again within so long is the same one, told by the terminal and by npm; a later one does not wait. */
const sameSignalMs = 500;

const flags = {
  seed: { type: 'string' }, minutes: { type: 'string', default: '10' },
  longest: { type: 'string', default: '30' }, rate: { type: 'string', default: '6' },
  embedded: { type: 'boolean' }, keep: { type: 'boolean' }, json: { type: 'boolean' }, quiet: { type: 'boolean' }, help: { type: 'boolean' },
} as const;

function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < least) throw new TypeError(`--${name} ${text} is no number from ${least} on`);
  return value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: flags, strict: true });
  if (values.help === true) {
    console.log(help);
    return 0;
  }
  const seed = values.seed === undefined ? randomInt(seedLimit) : numberOf('seed', values.seed, 0);
  const durationMs = numberOf('minutes', values.minutes, 0.1) * 60_000;
  const longestFaultMs = numberOf('longest', values.longest, 1) * 1_000;
  const folder = path.join(tmpdir(), `lehr-chaos-${seed}-${process.pid}`);
  const interrupted = new AbortController();
  let askedAtMs: number | undefined;
  process.on('SIGINT', () => {
    if (askedAtMs !== undefined && performance.now() - askedAtMs > sameSignalMs) process.exit(interruptedCode);
    askedAtMs ??= performance.now();
    interrupted.abort();
  });
  if (values.quiet !== true) console.error(`seed ${seed}`);
  const report = await runChaos({
    deployment: values.embedded === true ? 'embedded' : 'cluster', seed, durationMs, longestFaultMs, folder, keepsFolder: values.keep === true,
    tasksPerSecond: numberOf('rate', values.rate, 0.1), ...(values.quiet === true ? {} : { onNote: (line) => { console.error(line); } }),
  }, interrupted.signal);
  if (report === undefined) return interruptedCode;
  console.log(values.json === true ? JSON.stringify(report, undefined, 2) : describeReport(report));
  return report.violationCount === 0 ? 0 : 1;
}

try {
  // What an interrupted run has begun need not come to its end.
  process.exit(await main());
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${help}`);
  process.exitCode = 2;
}
