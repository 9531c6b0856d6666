import { access } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from './run-command.ts';

const root = path.resolve(import.meta.dirname, '..');
const packageFolder = path.join(root, 'node_modules/@bufbuild/buf');

/** Fetching buf's binary is given up after this time. */
const INSTALL_TIMEOUT_MS = 120_000;

/**
 * Gives the path of buf, whose answer to `--version` was seen. An npm that did not run buf's install script leaves the
 * package without its binary; the script is then run here.
 */
export async function findBuf(): Promise<string> {
  const buf = path.join(root, 'node_modules/.bin/buf');
  await access(buf);
  if ((await runCommand(buf, ['--version'], { timeoutMs: INSTALL_TIMEOUT_MS })).succeeded) return buf;
  const install = await runCommand(process.execPath, ['install.js'], { cwd: packageFolder, timeoutMs: INSTALL_TIMEOUT_MS });
  if (!install.succeeded) throw new Error(`buf is installed without its binary, and its install script failed:\n${install.output}`);
  return buf;
}
