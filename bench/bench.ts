import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, constants, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { missingClusterTools } from '../scripts/cluster-tools.ts';
import { benchAccepting } from './accepting.ts';
import { benchClone } from './clone.ts';
import { benchObjectStores } from './object-stores.ts';
import { benchClusterAccepting } from './cluster/cluster-accepting.ts';
import { benchClusterReplay } from './cluster/cluster-replay.ts';
import { benchLeaderKill } from './cluster/leader-kill.ts';
import { benchTakeOver } from './cluster/take-over.ts';
import { benchWatchers } from './cluster/watchers.ts';
import { benchConversion, benchInspection } from './inspection.ts';
import { benchExport } from './export.ts';
import { benchInterference } from './interference.ts';
import { benchLargeImages } from './large-images.ts';
import { benchReplay } from './replay.ts';
import { report, type Figure } from './report.ts';
import { benchSlowLines } from './slow-lines.ts';
import { benchSmallImports } from './small-imports.ts';

type Benchmarks = Readonly<Record<string, (folder: string) => AsyncGenerator<Figure>>>;

/** The benchmarks of a single server, by the name under which one is run alone: `npm run bench -- accepting`. */
const embedded: Benchmarks = {
  accepting: benchAccepting,
  'small-imports': benchSmallImports,
  'large-images': benchLargeImages,
  inspection: benchInspection,
  conversion: benchConversion,
  export: benchExport,
  clone: benchClone,
  'object-stores': benchObjectStores,
  interference: benchInterference,
  'slow-lines': benchSlowLines,
  replay: benchReplay,
};

/** Those of a cluster on real Kafka and NATS; `npm run bench -- cluster` runs them all. */
const cluster: Benchmarks = {
  'cluster-accepting': benchClusterAccepting,
  'cluster-replay': benchClusterReplay,
  'take-over': benchTakeOver,
  'leader-kill': benchLeaderKill,
  watchers: benchWatchers,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false }, folder: { type: 'string', default: '.' } },
});
if (values.help) {
  process.stdout.write(`Usage: npm run bench -- [--json] [--folder DIR] [NAME]…

Measures Lehr beside what one would use otherwise, in one run; a ratio compares the two. DIR (default: here) is where
the scratch folder is made: its disk is what is measured.

A single server, about three minutes and 6 GiB; without a name all of them:
  ${Object.keys(embedded).join(' ')}
A cluster on Kafka and NATS, which are started for it, about six minutes; "cluster" is all of them:
  ${Object.keys(cluster).join(' ')}\n`);
  process.exit(0);
}
const names = positionals.length === 0 ? Object.keys(embedded) : positionals.flatMap((name) => (name === 'cluster' ? Object.keys(cluster) : [name]));
const benchmarks = { ...embedded, ...cluster };
const unknown = names.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  process.stderr.write(`bench: no such benchmark: ${unknown.join(', ')}. There are: cluster, ${Object.keys(benchmarks).join(', ')}\n`);
  process.exit(2);
}
const missing = names.some((name) => name in cluster) ? await missingClusterTools() : [];
if (missing.length > 0) {
  process.stderr.write(`bench: a cluster needs what is not here.\n${missing.join('\n')}\n`);
  process.exit(1);
}
const folder = mkdtempSync(join(values.folder, '.bench-'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => { process.exit(128 + constants.signals[signal]); });
// Tried again: a server that was killed a moment ago may still be making files.
process.on('exit', () => { rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); });
if (!values.json) process.stdout.write(`${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`);
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (!names.includes(name)) continue;
  for await (const figure of benchmark(folder)) report(figure, values.json);
}
