import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { ExecutionContext } from 'ava';

import type { ProcessOptions } from './lehr-process.ts';
import { makeFolder } from './lehr-server.ts';

/**
 * What a server is started with that finds this shell script as qemu-img, and no bubblewrap that works: with the setting sandbox:
 * weak it runs the script, which sees the machine. `$real` is qemu-img, the last two arguments are the files. Asked for
 * its version the script answers as qemu-img does.
 */
export async function withQemuImg(t: Pick<ExecutionContext, 'teardown'>, script: string): Promise<ProcessOptions> {
  const folder = await programs(t, {
    'qemu-img': `real=/usr/bin/qemu-img\n[ "$1" = --version ] && exec "$real" --version\n${script}`,
    bwrap: 'exit 1',
  });
  return { env: { PATH: `${folder}:${process.env['PATH']}` } };
}

/** What a server is started with that finds these programs and no other ones in their place; the scripts are the shell's. */
export async function withPrograms(t: Pick<ExecutionContext, 'teardown'>, scripts: Readonly<Record<string, string>>): Promise<ProcessOptions> {
  return { env: { PATH: `${await programs(t, scripts)}:${process.env['PATH']}` } };
}

/** The system's own folders are searched after PATH, so a program that is missing is one that cannot be executed where it lies. */
export function without(...names: readonly string[]): ProcessOptions {
  const hide = names.map((name) => `mount --bind /dev/null /usr/bin/${name}`).join(' && ');
  return { wrapper: ['unshare', '--mount', 'sh', '-c', `${hide} && exec "$@"`, 'sh'] };
}

async function programs(t: Pick<ExecutionContext, 'teardown'>, scripts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await makeFolder(t);
  // Sandboxed programs are another user.
  chmodSync(folder, 0o755);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return folder;
}
