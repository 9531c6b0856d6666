import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Random } from '../simulation/random.ts';
import type { ChaosReport } from './chaos-report.ts';
import { checkRun } from './checks/check-run.ts';
import { applyChaos } from './apply-chaos.ts';
import { Ledger } from './ledger.ts';
import { ChaosSources } from './load/chaos-sources.ts';
import { startCluster } from './nodes/start-cluster.ts';
import { startEmbedded } from './nodes/start-embedded.ts';

/** What to run. */
export interface ChaosOptions {
  readonly deployment: 'cluster' | 'embedded';
  readonly seed: number;
  /** How long there are load and faults. */
  readonly durationMs: number;
  /** No fault lasts longer. */
  readonly longestFaultMs: number;
  readonly tasksPerSecond: number;
  /** For data and logs; made here, and removed at the end unless a rule was broken or `keepsFolder`. */
  readonly folder: string;
  readonly keepsFolder?: boolean;
  /** Told of a line for each thing that happens. */
  readonly onNote?: (line: string) => void;
}

/**
 * One run: starts the deployment, puts load on it and faults into it, heals everything, waits until all is settled and checks what
 * must hold. The plan of load and faults follows from the seed; what it meets does not. When `signal` aborts, everything is killed
 * and removed, and the report is undefined.
 */
export async function runChaos(options: ChaosOptions, signal: AbortSignal): Promise<ChaosReport | undefined> {
  const { deployment: kind, seed, folder } = options;
  const ledger = new Ledger(options.onNote);
  const undo = new Teardowns();
  const random = new Random(seed);
  mkdirSync(folder, { recursive: true });
  const starting = kind === 'embedded' ? startEmbedded(folder, ledger) : startCluster(folder, ledger);
  const work = async (): Promise<void> => {
    const deployment = await starting;
    const sources = await ChaosSources.start(undo, new Random(random.between(0, 2 ** 31)));
    await checkRun(await applyChaos({ options, ledger, deployment, sources, random, undo }));
  };
  const failed = work().catch((error: unknown) => {
    ledger.violate('the run comes to its end', String(error), error instanceof Error ? [String(error.stack), String(error.cause)] : []);
  });
  const interrupted = new AbortController();
  await Promise.race([failed, once(signal, 'abort', { signal: interrupted.signal }).catch(() => undefined)]);
  interrupted.abort();

  await undo.run();
  const deployment = await starting.catch(() => undefined);
  await deployment?.stop();
  const nodes = deployment?.nodes ?? [];
  const isKept = (ledger.violationCount > 0 || options.keepsFolder === true) && !signal.aborted;
  const report: ChaosReport = {
    seed, deployment: kind, wallMs: Math.round(ledger.nowMs), counts: Object.fromEntries(ledger.counts),
    peakMiB: Object.fromEntries(nodes.map(({ name, peakBytes }) => [name, Math.round(peakBytes / 2 ** 20)])),
    violationCount: ledger.violationCount, violations: ledger.violations, folder: isKept ? folder : undefined,
  };
  if (isKept) {
    for (const { name, output } of nodes) writeFileSync(path.join(folder, `${name}.log`), output);
    writeFileSync(path.join(folder, 'diary.txt'), `${ledger.diary.join('\n')}\n`);
    writeFileSync(path.join(folder, 'report.json'), JSON.stringify(report, undefined, 2));
  } else {
    await rm(folder, { recursive: true, force: true });
  }
  return signal.aborted ? undefined : report;
}
