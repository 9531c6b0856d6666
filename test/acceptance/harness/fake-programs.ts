import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { ExecutionContext } from 'ava';

import type { ProcessOptions } from './lehr-process.ts';
import { makeFolder } from './lehr-server.ts';

/** Asked for its version it answers as qemu-img does. */
const qemuImg = `#!/bin/sh
real=/usr/bin/qemu-img
[ "$1" = --version ] && exec "$real" --version
for target; do :; done
. "$0.script"
`;

/**
 * A qemu-img that is a script of the shell, which a test changes as it likes, and no bubblewrap that works: with the setting
 * sandbox: weak the script sees the machine. One test at a time.
 */
export class FakePrograms {
  /** What a server is started with that finds these programs. */
  readonly options: ProcessOptions;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.options = { env: { PATH: `${folder}:${process.env['PATH']}` } };
  }

  static async make(t: Pick<ExecutionContext, 'teardown'>): Promise<FakePrograms> {
    const folder = await makeFolder(t);
    // Sandboxed programs are another user.
    chmodSync(folder, 0o755);
    for (const [name, text] of [['qemu-img', qemuImg], ['bwrap', '#!/bin/sh\nexit 1\n']] as const) {
      writeFileSync(path.join(folder, name), text);
      chmodSync(path.join(folder, name), 0o755);
    }
    return new FakePrograms(folder);
  }

  /** From now on qemu-img does this: `$real` is the real one, `$target` the file to write, `$0.made` one that holds `content`. */
  behave(script: string, content: Uint8Array = new Uint8Array()): void {
    writeFileSync(path.join(this.#folder, 'qemu-img.script'), `${script}\n`, { mode: 0o644 });
    writeFileSync(path.join(this.#folder, 'qemu-img.made'), content, { mode: 0o644 });
  }
}

/** What a server is started with that cannot execute these: the system's own folders are searched after PATH. */
export function without(...names: readonly string[]): ProcessOptions {
  const hide = names.map((name) => `mount --bind /dev/null /usr/bin/${name}`).join(' && ');
  return { wrapper: ['unshare', '--mount', 'sh', '-c', `${hide} && exec "$@"`, 'sh'] };
}
