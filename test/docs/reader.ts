import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { lehrEntry } from '../tooling/lehr-entry.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A block that takes longer has hung. */
const blockTimeoutMs = 60_000;

const lehr = `exec "${process.execPath}" --disable-warning=ExperimentalWarning "${lehrEntry}"`;

/** What lies in a reader's folder before a page is read, and the data of its server. */
const ownNames = ['.shims', '.lehr', 'proto', 'src', 'node_modules'];

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
  #shell: ChildProcess;
  #shellEnded: Promise<boolean>;
  #server: ChildProcess | undefined;
  #serverCommand = '';
  #grpcAddress = '';
  #httpAddress = '';
  #output = '';
  #blocks = 0;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#env = env;
    [this.#shell, this.#shellEnded] = this.#openShell();
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
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? path.join(tmpdir(), 'lehr-test-compile-cache'),
    };
    return new Reader(folder, env);
  }

  /** Starts a server and waits until it says that it is ready; goes on with the one that runs where it was started by the same command. */
  async serve(command: string): Promise<void> {
    if (this.#isServed && command === this.#serverCommand) return;
    // The ports that the pages name may be taken: the environment asks for free ones, and for no more threads than a reader needs.
    const env = { ...this.#env, LEHR_HTTP_PORT: '0', LEHR_GRPC_PORT: '0', LEHR_WORKERS: '1' };
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
    this.#serverCommand = command;
    await this.run(`export LEHR_SERVER=${grpc}`);
  }

  /** Goes on with another page: with a new shell in an empty folder, and with no images where the server still runs. */
  async turnPage(): Promise<void> {
    await kill(this.#shell);
    for (const name of await readdir(this.folder)) {
      if (!ownNames.includes(name)) await rm(path.join(this.folder, name), { recursive: true });
    }
    [this.#shell, this.#shellEnded] = this.#openShell();
    if (!this.#isServed) return;
    const { images = [] } = await this.#call('ListImages', {}) as { readonly images?: readonly { readonly id: string }[] };
    for (const { id } of images) await this.#call('DeleteImage', { id });
    await this.run(`export LEHR_SERVER=${this.#grpcAddress}`);
  }

  /** Stops the server as Ctrl-C does. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined || !this.#isServed) return;
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
    await kill(this.#shell);
    if (this.#server !== undefined) await kill(this.#server);
    await rm(this.folder, { recursive: true, force: true });
  }

  get #isServed(): boolean {
    return this.#server !== undefined && this.#server.exitCode === null && this.#server.signalCode === null;
  }

  #openShell(): [shell: ChildProcess, ended: Promise<boolean>] {
    const shell = spawn('bash', ['-euo', 'pipefail'], { cwd: this.folder, env: this.#env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const listen = (text: Buffer): void => { this.#output += text.toString(); };
    shell.stdout.on('data', listen);
    shell.stderr.on('data', listen);
    shell.stdin.on('error', () => undefined);
    return [shell, once(shell, 'close').then(() => true)];
  }

  async #call(method: string, request: object): Promise<unknown> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request) };
    const response = await fetch(`http://${this.#httpAddress}/lehr.v1.ImageService/${method}`, init);
    if (!response.ok) throw new Error(`${method}: ${await response.text()}`);
    return response.json();
  }

  /** The text with the addresses of this server instead of the usual ones. */
  #here(text: string): string {
    return text.replaceAll('127.0.0.1:50051', this.#grpcAddress).replaceAll('127.0.0.1:8080', this.#httpAddress);
  }
}

/** Ends a program and what it has started; resolves when it is gone. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}
