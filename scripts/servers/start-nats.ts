import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { askNats } from './ask-nats.ts';
import { freePorts } from './free-ports.ts';
import { makeCertificates } from './make-certificates.ts';
import type { Certificates } from './make-certificates.ts';
import { makeNatsCredentials } from './nats-credentials.ts';
import type { NatsCredentials } from './nats-credentials.ts';
import { createServerProcess } from './server-process.ts';

export type StartNatsOptions = {
  /** Where it keeps everything. Without it, it gets a temporary folder that goes with it. */
  readonly folder?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Who may connect: one user by a password, or the holder of a credentials file. Without it everybody. */
  readonly auth?: { readonly username: string; readonly password: string } | 'credentials';
  /** `server`: clients must speak TLS. `mutual`: they must show a certificate of the same authority too. Default off. */
  readonly tls?: 'off' | 'server' | 'mutual';
};

export type NatsServer = {
  /** What clients connect to, `127.0.0.1:port`, the same after each start. */
  readonly url: string;
  readonly pid: number;
  /** The authority that clients trust and the certificate that they show; there only with TLS. */
  readonly certificates: Certificates | undefined;
  /** What the client shows; there only with `auth: 'credentials'`. */
  readonly credentialsFile: string | undefined;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves when it has ended, with everything on the disk. */
  terminate(): Promise<void>;
  /** SIGSTOP: the server keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts a killed server on the same folder and port. */
  start(): Promise<void>;
  /** Kills it, deletes all that JetStream stored and starts it anew. */
  empty(): Promise<void>;
  /** Lets this process end although the server runs; it is killed then. */
  unref(): void;
  /** Kills it and removes the temporary folder. */
  stop(): Promise<void>;
};

/** A text in the configuration of nats-server, which reads JSON's escapes. */
const quote = (text: string): string => JSON.stringify(text);

type AuthSettings = { readonly configuration: NatsCredentials['configuration']; readonly credentialsFile?: string };

/** The lines of the server's configuration about who may connect, and what it takes. */
async function authSettings(auth: StartNatsOptions['auth'], folder: string): Promise<AuthSettings> {
  if (auth === undefined) return { configuration: [] };
  if (auth === 'credentials') return makeNatsCredentials(folder);
  return { configuration: [`authorization { user: ${quote(auth.username)}, password: ${quote(auth.password)} }`] };
}

function tlsSettings({ caFile, serverCertFile, serverKeyFile }: Certificates, mutual: boolean): string {
  const client = mutual ? `, ca_file: ${quote(caFile)}, verify: true` : '';
  return `tls { cert_file: ${quote(serverCertFile)}, key_file: ${quote(serverKeyFile)}${client} }`;
}

/**
 * Starts a real nats-server with JetStream on loopback and resolves when clients can use both. It does not outlive this
 * process, however that ends.
 */
export async function startNats(options: StartNatsOptions = {}): Promise<NatsServer> {
  const discard = options.folder === undefined ? await mkdtemp(path.join(tmpdir(), 'lehr-nats-')) : undefined;
  const folder = path.resolve(options.folder ?? discard ?? '');
  await mkdir(folder, { recursive: true });
  const storeDir = path.join(folder, 'store');
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const tls = options.tls ?? 'off';
  const certificates = tls === 'off' ? undefined : await makeCertificates(folder);
  const { configuration, credentialsFile } = await authSettings(options.auth, folder);
  const file = path.join(folder, 'server.conf');
  const lines = ['host: "127.0.0.1"', `port: ${port}`, `jetstream { store_dir: ${quote(storeDir)} }`, ...configuration];
  if (certificates !== undefined) lines.push(tlsSettings(certificates, tls === 'mutual'));
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });

  const server = createServerProcess({
    name: 'nats-server',
    command: ['nats-server', '-c', file],
    logFile: path.join(folder, 'server.log'),
    discard,
    isReady: async () => (await askNats(port)).jetstream === true,
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    if (discard !== undefined) await rm(discard, { recursive: true, force: true });
  };
  try {
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    certificates,
    credentialsFile,
    kill: () => server.kill(),
    terminate: () => server.terminate(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    start: () => server.start(),
    async empty() {
      await server.kill();
      await rm(storeDir, { recursive: true, force: true });
      await server.start();
    },
    unref: () => server.unref(),
    stop,
  };
}
