/** The command behind `npm run fuzz`: alters images and holds the verdicts against each other, and against qemu-img's. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { probeSandbox, serviceSandbox } from '../../src/sandbox/probe-sandbox.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { runCampaign } from './campaign.ts';
import { builtCorpus, formatNames } from './corpus.ts';
import { describeRound, differenceTable, kindsOf, outcomeTable } from './describe.ts';
import type { Difference } from './difference.ts';
import { isExplained } from './explained.ts';
import type { RoundReport } from './messages.ts';
import { help, readFlags } from './flags.ts';
import { qemuCorpus } from './qemu-corpus.ts';
import { comparedDiskBytes, QemuJudge } from './qemu-judge.ts';
import type { RoundSettings } from './round.ts';

/** Progress is told so often. */
const progressEveryMs = 5_000;

/** One judge for each lane. */
async function qemuJudges(folder: string, lanes: number): Promise<readonly QemuJudge[]> {
  const sandbox = await probeSandbox(serviceSandbox('weak', () => undefined));
  if (sandbox.kind === 'none') throw new TypeError(`--qemu cannot be: ${sandbox.missing}`);
  return Array.from({ length: lanes }, (_, index) => new QemuJudge(sandbox, folder, `lane-${index}`));
}


/** Aborted by the first Ctrl-C; the second one ends the process as usual. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

async function main(): Promise<number> {
  const { values, format, seed, from, rounds, minutes } = readFlags();
  if (values.help === true) {
    console.log(help);
    return 0;
  }
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
    const unexplained = kinds.filter((kind) => !isExplained(kind));
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    if (values.json === true) {
      const broken = result.broken.map(({ seed: at, image, steps, faults }) => ({ seed: at, again: again(at), image, steps, faults }));
      const { outcomes } = result;
      const told = { from, rounds: result.rounds, seconds: Number(seconds), broken, outcomes, differences: kinds, unexplained };
      console.log(JSON.stringify(told, undefined, 2));
    } else {
      if (seed === undefined) console.log(`${outcomeTable(result.outcomes)}\n`);
      if (kinds.length > 0) console.log(`${differenceTable(kinds)}\n`);
      if (unexplained.length > 0) console.log(`Not explained in docs/reference/checks.md:\n${differenceTable(unexplained)}\n`);
      for (const round of result.broken) console.log(`${describeRound(round)}\n  again: ${again(round.seed)}`);
      console.log(`${result.rounds} rounds from seed ${from} on in ${seconds} s, ${result.broken.length} with faults; for a seed again: ${again(from)}`);
    }
    for (const round of result.broken) keep(round);
    if (interrupted.aborted) return 130;
    return result.broken.length > 0 || unexplained.length > 0 ? 1 : 0;
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
