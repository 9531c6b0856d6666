/** Compiles src/ and projections/ into dist/ and copies what the compiled code reads at run time: SQL and descriptors. */
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { runOrExit } from './run-or-exit.ts';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

/** Endings of the files that are read at run time beside the code. */
const DATA_FILE = /\.(sql|binpb)$/;

/** The compiler rewrites `.ts` in imports but not in other strings, such as the file of a worker thread. */
const LEFT_OVER_TS = /(['"`])\.{1,2}\/[^'"`\n]*\.ts\1/;

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

await rm(dist, { recursive: true, force: true });
await runOrExit(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], root);

const sources = [...(await filesBelow(path.join(root, 'src'))), ...(await filesBelow(path.join(root, 'projections')))];
for (const file of sources.filter((name) => DATA_FILE.test(name))) {
  await cp(file, path.join(dist, path.relative(root, file)));
}

for (const file of (await filesBelow(dist)).filter((name) => name.endsWith('.js'))) {
  const leftOver = LEFT_OVER_TS.exec(await readFile(file, 'utf8'));
  if (leftOver === null) continue;
  console.error(`${path.relative(root, file)} names ${leftOver[0]}, which is not in dist: derive the ending from import.meta.url.`);
  process.exitCode = 1;
}
