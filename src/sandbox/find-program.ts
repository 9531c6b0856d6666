import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { startProgram, type OnStart } from './start-program.ts';

/** A program and everything that the system's loader opens for it. */
export interface Program {
  readonly name: string;
  /** Absolute, links followed. */
  readonly path: string;
  /** Absolute paths of its loader and libraries, by the names under which the loader looks for them. */
  readonly libraries: readonly string[];
}

/** Where programs for the administrator lie; a service's PATH may lack them. */
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Finds a program in the folders of `searchPath` and nowhere else; undefined where it is in none. */
export async function findProgram(name: string, searchPath: string, onStart: OnStart): Promise<Program | undefined> {
  for (const folder of searchPath.split(':').filter(isAbsolute)) {
    const path = join(folder, name);
    if (await access(path, constants.X_OK).then(() => true, () => false)) return programAt(path, onStart);
  }
  return undefined;
}

/** The program at a path, with its libraries as ldd(1) tells them. A program that is linked statically, or a script, has none. */
export async function programAt(path: string, onStart: OnStart): Promise<Program> {
  const real = await realpath(path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { name, path: real, libraries: await librariesOf(real, onStart) };
}

/** A search path in which the system's own folders come last. */
export function searchPathOf(path: string | undefined): string {
  return [path ?? '', ...systemFolders].join(':');
}

/** Lines are `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)` and `/lib64/ld-linux-x86-64.so.2 (0x…)`. */
async function librariesOf(path: string, onStart: OnStart): Promise<readonly string[]> {
  let listing = '';
  const start = { name: 'ldd', command: 'ldd', args: [path], inherited: [], onOutput: (text: string) => { listing += text; } };
  await startProgram({ ...start, command: '/usr/bin/ldd' }, onStart, AbortSignal.timeout(lddTimeoutMs)).catch(() => undefined);
  return [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm)].map(([, library = '']) => library);
}

/** ldd takes milliseconds; only a machine that hangs takes so long. */
const lddTimeoutMs = 10_000;
