import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { lehrEntry } from '../tooling/lehr-entry.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A block that takes longer has hung. */
const blockTimeoutMs = 60_000;

const lehr = `exec "${process.execPath}" --disable-warning=ExperimentalWarning "${lehrEntry}"`;

/** What stands in front of PATH: the commands of the pages, without npm's own start-up time; Debian's Python, which has grpcio. */
const shims: Readonly<Record<string, string>> = {
  npx: `[ "$1" = lehr ] || exit 127; shift; ${lehr} "$@"`,
  npm: `[ "$1" = start ] || exit 127; shift; [ "$1" = -- ] && shift; ${lehr} serve "$@"`,
  node: `exec "${process.execPath}" --disable-warning=ExperimentalWarning "$@"`,
  python3: '[ -x /usr/bin/python3 ] && exec /usr/bin/python3 "$@"; exit 127',
};

/** Somebody who does what a page says: one shell for its commands, another for its server, in a folder of their own. */
export class Reader {
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #shell: ChildProcess;
  readonly #shellEnded: Promise<boolean>;
  #server: ChildProcess | undefined;
  #grpcAddress = '';
  #httpAddress = '';
  #output = '';
  #blocks = 0;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#env = env;
    this.#shell = spawn('bash', ['-euo', 'pipefail'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const listen = (text: Buffer): void => { this.#output += text.toString(); };
    this.#shell.stdout?.on('data', listen);
    this.#shell.stderr?.on('data', listen);
    this.#shell.stdin?.on('error', () => undefined);
    this.#shellEnded = once(this.#shell, 'close').then(() => true);
  }

  /** A reader in a new folder, which has the protos and the packages of the checkout. */
  static async sitDown(): Promise<Reader> {
    const folder = await mkdtemp(path.join(tmpdir(), 'lehr-test-docs-'));
    const shimFolder = path.join(folder, '.shims');
    await mkdir(shimFolder);
    for (const [name, script] of Object.entries(shims)) {
      await writeFile(path.join(shimFolder, name), `#!/bin/sh\n${script}\n`);
      await chmod(path.join(shimFolder, name), 0o755);
    }
    for (const name of ['proto', 'src', 'node_modules']) await symlink(path.join(root, name), path.join(folder, name));
    const env = {
      PATH: `${shimFolder}:${process.env['PATH'] ?? ''}`, HOME: folder, LANG: 'C.UTF-8', TERM: 'dumb',
      NODE_COMPILE_CACHE: path.join(tmpdir(), 'lehr-test-compile-cache'),
    };
    return new Reader(folder, env);
  }

  /** Starts a server and waits until it says that it is ready. */
  async serve(command: string): Promise<void> {
    // The ports that the pages name may be taken: the environment asks for free ones.
    const env = { ...this.#env, LEHR_HTTP_PORT: '0', LEHR_GRPC_PORT: '0' };
    const server = spawn('bash', ['-euc', command], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#server = server;
    let output = '';
    server.stderr.on('data', (text: Buffer) => { output += text.toString(); });
    const [, grpc = '', http = ''] = await new Promise<RegExpExecArray>((resolve, reject) => {
      server.stdout.on('data', (text: Buffer) => {
        output += text.toString();
        const match = /gRPC on (\S+), HTTP on http:\/\/(\S+)/.exec(output);
        if (match !== null) resolve(match);
      });
      server.once('exit', (code) => reject(new Error(`the server ended with ${code ?? 'a signal'}: ${output}`)));
    });
    this.#grpcAddress = grpc;
    this.#httpAddress = http;
    await this.run(`export LEHR_SERVER=${grpc}`);
  }

  /** Stops the server as Ctrl-C does. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined || server.exitCode !== null) return;
    const ended = once(server, 'exit');
    process.kill(-server.pid, 'SIGINT');
    await ended;
  }

  /** Runs a block in the reader's shell and gives what it printed; rejects, with that, where a command of it fails. */
  async run(block: string): Promise<string> {
    const number = this.#blocks += 1;
    const script = path.join(this.folder, '.shims', `block-${number}.sh`);
    await writeFile(script, this.#here(block));
    const marker = `--- end of block ${number} ---\n`;
    this.#output = '';
    this.#shell.stdin?.write(`. ${script} </dev/null; printf '%s' '${marker.trim()}'; echo\n`);
    const deadline = AbortSignal.timeout(blockTimeoutMs);
    while (!this.#output.includes(marker)) {
      const said = once(this.#shell.stdout!, 'data', { signal: deadline }).then(() => false, () => true);
      const isOver = await Promise.race([this.#shellEnded, said]);
      if (isOver && !this.#output.includes(marker)) throw new Error(`a command failed, or hung:\n${block}\n${this.#output}`);
    }
    return this.#output.replace(marker, '');
  }

  /** Writes a file of the page into the folder. */
  async save(file: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, file), this.#here(text));
  }

  /** Ends everything and removes the folder. */
  async leave(): Promise<void> {
    for (const child of [this.#shell, this.#server]) {
      if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The text with the addresses of this server instead of the usual ones. */
  #here(text: string): string {
    return text.replaceAll('127.0.0.1:50051', this.#grpcAddress).replaceAll('127.0.0.1:8080', this.#httpAddress);
  }
}
