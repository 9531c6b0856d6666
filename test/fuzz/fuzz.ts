/** The command behind `npm run fuzz`: alters images and holds the verdicts against each other, and against qemu-img's. */
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { probeSandbox, serviceSandbox } from '../../src/sandbox/probe-sandbox.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { runCampaign } from './campaign.ts';
import { builtCorpus, formatNames } from './corpus.ts';
import type { FormatName } from './corpus.ts';
import { describeRound, differenceTable, kindsOf, outcomeTable } from './describe.ts';
import type { Difference } from './difference.ts';
import type { RoundReport } from './messages.ts';
import { qemuCorpus } from './qemu-corpus.ts';
import { comparedDiskBytes, QemuJudge } from './qemu-judge.ts';
import type { RoundSettings } from './round.ts';

const help = `Alters sound images of every format and holds the inspectors to what they promise: a verdict whatever the bytes, within
bounds of reads and memory, the same at every depth, with a check, a place and a value in each refusal.

  npm run fuzz                              one minute of fresh seeds
  npm run fuzz -- --minutes 30              half an hour of them
  npm run fuzz -- --from 1 --rounds 5000    these seeds
  npm run fuzz -- --qemu --format vmdk      what is accepted is opened by qemu-img too, and the two are compared
  npm run fuzz -- --seed 4711               one seed again

  --seed N      runs one seed and prints what it did
  --from N      the first seed (a random one)
  --rounds N    how many seeds (no limit)
  --minutes N   stops after so long (1, or no limit with --rounds)
  --format F    alters only images of this format: ${Object.keys(formatNames).join(', ')}
  --qemu        compares with qemu-img, in the sandbox of the service
  --built       leaves out the images that qemu-img makes; the same seed does other things then
  --keep DIR    saves the image of each round that is told
  --json        prints the result as JSON
  --help        prints this

Exit code 0: everything held. 1: something did not, or qemu-img read another disk than was inspected, or crashed over it. 2: the flags make no sense.
130: interrupted; what was found until then is printed.
`;

/** Progress is told so often. */
const progressEveryMs = 5_000;

/** Seeds that are drawn at random lie below this. */
const seedLimit = 2 ** 30;

const flags = {
  seed: { type: 'string' }, from: { type: 'string' }, rounds: { type: 'string' }, minutes: { type: 'string' }, format: { type: 'string' },
  qemu: { type: 'boolean' }, built: { type: 'boolean' }, keep: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' },
} as const;

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new TypeError(`--${name} ${text} is no number from 0 on`);
  return value;
}

function formatOf(text: string | undefined): FormatName | undefined {
  if (text === undefined || text in formatNames) return text as FormatName | undefined;
  throw new TypeError(`--format ${text} is none of ${Object.keys(formatNames).join(', ')}`);
}

/** One judge for each lane. */
async function qemuJudges(folder: string, lanes: number): Promise<readonly QemuJudge[]> {
  const sandbox = await probeSandbox(serviceSandbox('weak', () => undefined));
  if (sandbox.kind === 'none') throw new TypeError(`--qemu cannot be: ${sandbox.missing}`);
  return Array.from({ length: lanes }, (_, index) => new QemuJudge(sandbox, folder, `lane-${index}`));
}

/** Of what is refused qemu-img may make what it likes: nobody hands it over. */
function mustNotBe({ kind, outcome }: Difference): boolean {
  return kind === 'other disk' || (kind === 'crashed' && outcome === 'accepted');
}

/** Aborted by the first Ctrl-C; the second one ends the process as usual. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: flags, strict: true });
  if (values.help === true) {
    console.log(help);
    return 0;
  }
  const format = formatOf(values.format);
  const seed = numberOf('seed', values.seed);
  const rounds = seed === undefined ? numberOf('rounds', values.rounds) ?? Infinity : 1;
  const minutes = numberOf('minutes', values.minutes) ?? (rounds === Infinity ? 1 : 1e4);
  const from = seed ?? numberOf('from', values.from) ?? randomInt(seedLimit);
  const withQemuImages = values.built !== true && hasTool('qemu-img');
  const lanes = seed === undefined ? Math.min(4, availableParallelism()) : 1;
  const folder = await mkdtemp(join(tmpdir(), 'lehr-fuzz-'));
  const interrupted = interruption();
  const differences: Difference[] = [];
  let seen = 0;
  const again = (of: number): string => {
    const more = [...(format === undefined ? [] : ['--format', format]), ...(values.qemu === true ? ['--qemu'] : []), ...(withQemuImages ? [] : ['--built'])];
    return ['npm run fuzz -- --seed', String(of), ...more].join(' ');
  };
  const keep = (round: RoundReport): void => {
    if (values.keep === undefined || round.bytes === undefined) return;
    mkdirSync(values.keep, { recursive: true });
    writeFileSync(join(values.keep, `${round.seed}.image`), round.bytes);
  };
  const judges = values.qemu === true ? await qemuJudges(folder, lanes) : [];
  const onRound = async (round: RoundReport, lane: number): Promise<void> => {
    if (seed !== undefined && values.json !== true) console.log(describeRound(round));
    const found = await judges[lane]?.compare(round);
    seen += 1;
    if (found !== undefined && kindsOf([...differences, found]).length > kindsOf(differences).length) keep(round);
    if (found !== undefined) differences.push(found);
    if (seed !== undefined) keep(round);
  };
  const settings: RoundSettings = {
    corpus: [...builtCorpus(), ...(withQemuImages ? await qemuCorpus() : [])],
    limits: { maxVirtualBytes: values.qemu === true ? comparedDiskBytes : 2n ** 46n },
    ...(format === undefined ? {} : { format: formatNames[format] }),
  };
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(Math.min(2 ** 31 - 1, minutes * 60_000))]);
  const startMs = performance.now();
  const progress = setInterval(() => console.error(`${seen} rounds compared, ${kindsOf(differences).length} kinds of differences`), progressEveryMs);
  if (judges.length === 0) clearInterval(progress);
  try {
    const plan = { from, rounds, lanes, roundsPerRequest: judges.length > 0 ? 8 : 50, signal };
    const result = await runCampaign(settings, plan, judges.length > 0 || seed !== undefined ? onRound : undefined);
    const kinds = kindsOf(differences);
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    if (values.json === true) {
      const broken = result.broken.map(({ seed: at, image, steps, faults }) => ({ seed: at, again: again(at), image, steps, faults }));
      const told = { from, rounds: result.rounds, seconds: Number(seconds), broken, outcomes: result.outcomes, differences: kinds };
      console.log(JSON.stringify(told, undefined, 2));
    } else {
      if (seed === undefined) console.log(`${outcomeTable(result.outcomes)}\n`);
      if (kinds.length > 0) console.log(`${differenceTable(kinds)}\n`);
      for (const round of result.broken) console.log(`${describeRound(round)}\n  again: ${again(round.seed)}`);
      console.log(`${result.rounds} rounds from seed ${from} on in ${seconds} s, ${result.broken.length} with faults; for a seed again: ${again(from)}`);
    }
    for (const round of result.broken) keep(round);
    if (interrupted.aborted) return 130;
    return result.broken.length > 0 || kinds.some(mustNotBe) ? 1 : 0;
  } finally {
    clearInterval(progress);
    await rm(folder, { recursive: true, force: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${help}`);
  process.exitCode = 2;
}
