import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that is not ready after this time is killed and has failed to start. */
const START_TIMEOUT_MS = 60_000;

/** A server that has not ended this long after it was asked to is killed. */
const TERMINATE_TIMEOUT_MS = 60_000;

/** Between two looks whether a server is ready. */
const LOOK_INTERVAL_MS = 20;

/** How much of the end of a server's output is quoted when it fails to start. */
const QUOTED_CHARS = 2_000;

/**
 * Becomes the server (`exec`, so that the process id is the server's own) and leaves a watchdog behind that reads a pipe
 * from this process. The pipe ends without a word when this process dies in whatever way; the watchdog then kills the
 * server and removes the folder that is its first argument, unless that is empty.
 */
const WATCHED = `
discard=$1; shift
(read -r word <&3 || { kill -KILL $$; sleep 0.1; test -z "$discard" || rm -rf "$discard"; }) >/dev/null 2>&1 &
exec "$@" 3<&-
`;

/** What a server process is. */
export type ServerProcessOptions = {
  /** Names the server in errors. */
  readonly name: string;
  readonly command: readonly [file: string, ...args: string[]];
  readonly env?: NodeJS.ProcessEnv;
  /** Where its output goes; each start adds to it. */
  readonly logFile: string;
  /** A folder that disappears with the server when this process dies; a given, lasting folder is not named here. */
  readonly discard?: string;
  /** Whether clients can use it now; asked again and again from its start on. A rejection means no. */
  readonly isReady: () => Promise<boolean>;
};

/** A server that can be killed, paused and started anew on the same files and ports. It never outlives this process. */
export type ServerProcess = {
  /** Of the running process, else of the last one. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** Starts it and resolves when clients can use it. Rejects where it ends before, or takes more than a minute. */
  start(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. Does nothing where it is not running. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when the server has ended in its own way. One that takes more than a minute is killed. */
  terminate(): Promise<void>;
  /** SIGSTOP: the server keeps its sockets and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Lets this process end although the server runs; the server is killed then. */
  unref(): void;
};

/** The running process; `gone` resolves with how it ended, for an error's text. */
type Running = { readonly child: ChildProcess; readonly watched: Socket; readonly gone: Promise<string> };

function launch({ command, discard, env, logFile }: ServerProcessOptions): Running {
  const log = openSync(logFile, 'a');
  // A session of its own: an interrupt from the terminal is for this process, which then decides when its servers end.
  const child = spawn('sh', ['-c', WATCHED, 'sh', discard ?? '', ...command], { detached: true, env, stdio: ['ignore', log, log, 'pipe'] });
  closeSync(log);
  // Not stdin, which Node closes by itself when the process ends.
  const watched = child.stdio[3] as Socket;
  watched.on('error', () => undefined);
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      // The word tells the watchdog that there is nothing left to kill: the process id may be somebody else's by now.
      watched.end('gone\n');
      resolve(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
    });
  });
  return { child, watched, gone };
}

async function becomesReady(isReady: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await isReady().catch(() => false))) await delay(LOOK_INTERVAL_MS, undefined, { signal });
}

/** Makes a server process that is not started yet. */
export function createServerProcess(options: ServerProcessOptions): ServerProcess {
  let running: Running | undefined;
  let pid = 0;
  let isUnref = false;

  const unref = ({ child, watched }: Running): void => {
    child.unref();
    watched.unref();
  };
  const kill = async (): Promise<void> => {
    const { child, gone } = running ?? {};
    child?.kill('SIGKILL');
    await gone;
  };
  const failure = async (reason: string): Promise<Error> => {
    const log = await readFile(options.logFile, 'utf8').catch(() => '');
    return new Error(`${options.name} did not start: ${reason}.\n${log.slice(-QUOTED_CHARS)}`);
  };

  return {
    get pid() {
      return pid;
    },
    get isRunning() {
      return running !== undefined;
    },
    async start() {
      if (running !== undefined) throw new Error(`${options.name} is running already.`);
      const started = launch(options);
      running = started;
      pid = started.child.pid ?? 0;
      if (isUnref) unref(started);
      const over = new AbortController();
      const end = started.gone.then((reason) => {
        running = undefined;
        return reason;
      });
      const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
      const ready = becomesReady(options.isReady, AbortSignal.any([over.signal, timeout])).then(
        () => undefined,
        () => 'it was not ready in time',
      );
      const reason = await Promise.race([ready, end]);
      over.abort();
      if (reason === undefined) return;
      await kill();
      throw await failure(reason);
    },
    kill,
    async terminate() {
      const { child, gone } = running ?? {};
      child?.kill('SIGTERM');
      const over = new AbortController();
      const patience = delay(TERMINATE_TIMEOUT_MS, undefined, { signal: over.signal }).then(kill, () => undefined);
      await Promise.race([gone, patience]);
      over.abort();
    },
    pause() {
      running?.child.kill('SIGSTOP');
    },
    resume() {
      running?.child.kill('SIGCONT');
    },
    unref() {
      isUnref = true;
      if (running !== undefined) unref(running);
    },
  };
}
