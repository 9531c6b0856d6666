/** Fails, naming the files, where src/gen is not what `npm run generate` makes of proto/. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { runOrExit } from './run-or-exit.ts';

const root = path.resolve(import.meta.dirname, '..');

/** The files below a folder by their path in it, with `/` between the parts. */
async function readTree(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file) => [path.relative(folder, file), await readFile(file)] as const)));
}

const scratch = await mkdtemp(path.join(os.tmpdir(), 'lehr-generate-'));
try {
  await runOrExit(process.execPath, [path.join(root, 'scripts/generate.ts'), scratch], root);
  const fresh = await readTree(path.join(scratch, 'src/gen'));
  const committed = await readTree(path.join(root, 'src/gen'));
  const names = [...new Set([...fresh.keys(), ...committed.keys()])].sort();
  const drifted = names.filter((name) => {
    const [before, after] = [committed.get(name), fresh.get(name)];
    return before === undefined || after === undefined || !before.equals(after);
  });
  if (drifted.length > 0) {
    console.error(`src/gen differs from what proto/ generates; run "npm run generate":\n${drifted.map((name) => `  ${name}`).join('\n')}`);
    process.exitCode = 1;
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
