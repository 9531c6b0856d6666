import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchAccepting } from './accepting.ts';
import { benchInterference } from './interference.ts';
import { benchLargeImages } from './large-images.ts';
import { benchReplay } from './replay.ts';
import { report, type Figure } from './report.ts';
import { benchSmallImports } from './small-imports.ts';

/** The benchmarks, by the name under which one is run alone: `npm run bench -- accepting`. */
const benchmarks: Readonly<Record<string, (folder: string) => AsyncGenerator<Figure>>> = {
  accepting: benchAccepting,
  'small-imports': benchSmallImports,
  'large-images': benchLargeImages,
  interference: benchInterference,
  replay: benchReplay,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false }, folder: { type: 'string', default: '.' } },
});
if (values.help) {
  process.stdout.write(`Usage: npm run bench -- [--json] [--folder DIR] [${Object.keys(benchmarks).join('|')}]…\n
Measures Lehr beside what one would use otherwise, in one run; a ratio compares the two. DIR (default: here) is where
the scratch folder is made: its disk is what is measured. Takes about three minutes and 6 GiB there.\n`);
  process.exit(0);
}
const unknown = positionals.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  process.stderr.write(`bench: no such benchmark: ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}\n`);
  process.exit(2);
}
const folder = mkdtempSync(join(values.folder, '.bench-'));
process.on('SIGINT', () => { process.exit(130); });
process.on('exit', () => { rmSync(folder, { recursive: true, force: true }); });
if (!values.json) process.stdout.write(`${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n`);
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  for await (const figure of benchmark(folder)) report(figure, values.json);
}
