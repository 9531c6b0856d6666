import path from 'node:path';

import { findBuf } from './buf.ts';
import { compiler } from './compiler.ts';
import { runCommand } from './run-command.ts';
import type { CommandResult } from './run-command.ts';

/** Something that must hold besides the tests; it counts as one passed or failed. */
export type Check = {
  readonly name: string;
  readonly run: () => Promise<CommandResult>;
  /** The tests need not wait for it: it takes long, on one core, and changes nothing that they read. */
  readonly besideTests?: true;
};

const root = path.resolve(import.meta.dirname, '..');

/** A check that takes longer has failed. The linter takes minutes where a slow machine runs the tests beside it. */
const CHECK_TIMEOUT_MS = 600_000;

const command = (file: string, ...args: readonly string[]): Promise<CommandResult> =>
  runCommand(file, args, { cwd: root, timeoutMs: CHECK_TIMEOUT_MS });

const node = (script: string, ...args: readonly string[]): Promise<CommandResult> =>
  command(process.execPath, path.join(root, script), ...args);

/** In the order in which they start. */
export const CHECKS: readonly Check[] = [
  { name: 'lint', run: () => node('node_modules/eslint/bin/eslint.js'), besideTests: true },
  { name: 'types', run: () => command(process.execPath, compiler, '-p', '.') },
  { name: 'build', run: () => node('scripts/build.ts') },
  { name: 'generated code', run: () => node('scripts/check-generated.ts') },
  { name: 'buf lint', run: async () => command(await findBuf(), 'lint') },
  { name: 'buf breaking', run: async () => command(await findBuf(), 'breaking', '--against', 'proto/baseline.binpb') },
];
