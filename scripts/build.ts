/**
 * Compiles src/ and projections/ into dist/, copies there what the compiled code reads at run time (SQL and descriptors), and
 * joins the command.
 */
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { compiler } from './compiler.ts';
import { runOrExit } from './run-or-exit.ts';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

/** Endings of the files that are read at run time beside the code. */
const DATA_FILE = /\.(sql|binpb)$/;

/**
 * A file's name in a string, such as that of a worker thread. The compiler rewrites `.ts` in imports only, so the code
 * has to choose the ending by itself, and then names the compiled file as well.
 */
const NAMED_SOURCE = /(['"])([\w./-]+)\.ts\1/g;

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

await rm(dist, { recursive: true, force: true });
await runOrExit(process.execPath, [compiler, '-p', 'tsconfig.build.json'], root);

const sources = [...(await filesBelow(path.join(root, 'src'))), ...(await filesBelow(path.join(root, 'projections')))];
for (const file of sources.filter((name) => DATA_FILE.test(name))) {
  await cp(file, path.join(dist, path.relative(root, file)));
}

for (const file of (await filesBelow(dist)).filter((name) => name.endsWith('.js'))) {
  const code = await readFile(file, 'utf8');
  for (const [source, , name] of code.matchAll(NAMED_SOURCE)) {
    if (code.includes(`${name}.js`)) continue;
    console.error(`${path.relative(root, file)} names ${source}, which is not in dist: derive the ending from import.meta.url.`);
    process.exitCode = 1;
  }
}

await runOrExit(process.execPath, [path.join(root, 'scripts/bundle.ts')], root);
