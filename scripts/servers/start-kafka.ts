import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { kafkaClassArchive } from './kafka-class-archive.ts';
import { kafkaJars } from './kafka-jars.ts';
import { kafkaJavaArgs } from './kafka-java.ts';
import { kafkaIdentity } from './kafka-identity.ts';
import { createKafkaNode } from './kafka-node.ts';
import { kafkaProperties } from './kafka-properties.ts';
import { kafkaSecurity } from './kafka-security.ts';
import type { KafkaSecurity } from './kafka-security.ts';
import type { Certificates } from './make-certificates.ts';
import type { ServerProcess } from './server-process.ts';

/** The heap of one broker where nothing else is said. */
const HEAP_MIB = 384;

export type StartKafkaOptions = {
  /**
   * Where the brokers keep everything. An empty one gets a new cluster; one that held a cluster of as many brokers gets
   * that again, with its records, on the same ports. Without it they get a temporary folder that goes with them.
   */
  readonly folder?: string;
  /** Default 1. */
  readonly brokers?: 1 | 3;
  /** Of each broker, default 384. */
  readonly heapMiB?: number;
  /** `start` (default): up quickly, with little of the processor. `load`: for measurements. */
  readonly tunedFor?: 'start' | 'load';
  /** Settings of Kafka's server.properties that come on top, such as `broker.session.timeout.ms`. */
  readonly properties?: Readonly<Record<string, string>>;
  /**
   * The address that clients are told for the broker with this index (from 0), whose own port it is given: a proxy that
   * stands between them. Called before the broker starts. Default: the broker itself.
   */
  readonly advertised?: (index: number, port: number) => string | Promise<string>;
  /** TLS and passwords between clients and brokers; brokers talk to each other in plain text. Default: nothing of the kind. */
  readonly security?: KafkaSecurity;
  /** Ends the start, with nothing left behind; a cluster that runs is not touched. */
  readonly signal?: AbortSignal;
};

/** One broker of a cluster. */
export type KafkaNode = {
  /** Where it listens for clients, `127.0.0.1:port`; a proxy that is advertised is not this. */
  readonly address: string;
  readonly pid: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: the broker keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts a killed broker on the same folder and ports; resolves when it serves, which takes a majority of the brokers. */
  start(): Promise<void>;
};

export type KafkaCluster = {
  /** What clients connect to, `host:port` each: the advertised addresses. */
  readonly brokers: readonly string[];
  readonly nodes: readonly KafkaNode[];
  /** The authority that clients trust and the certificate that they show; there only with TLS. */
  readonly certificates: Certificates | undefined;
  /** Lets this process end although the brokers run; they are killed then. */
  unref(): void;
  /** Kills all brokers (Kafka needs no farewell to keep what it acknowledged) and removes the temporary folder. */
  stop(): Promise<void>;
};

const nodeOf = (process: ServerProcess, address: string): KafkaNode => ({
  address,
  get pid() {
    return process.pid;
  },
  kill: () => process.kill(),
  pause: () => process.pause(),
  resume: () => process.resume(),
  start: () => process.start(),
});

/**
 * Starts real Kafka brokers on free ports of loopback, each in one process with a controller, and resolves when clients
 * and consumer groups can use them. No broker outlives this process, however that ends.
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<KafkaCluster> {
  const count = options.brokers ?? 1;
  const { signal } = options;
  const lib = await kafkaJars(signal);
  const classArchive = await kafkaClassArchive(lib);
  const java = await kafkaJavaArgs({ lib, classArchive, heapMiB: options.heapMiB ?? HEAP_MIB, tunedFor: options.tunedFor ?? 'start' });
  const discard = options.folder === undefined ? await mkdtemp(path.join(tmpdir(), 'lehr-kafka-')) : undefined;
  const folder = path.resolve(options.folder ?? discard ?? '');
  await mkdir(folder, { recursive: true });
  const { clusterId, ports } = await kafkaIdentity(folder, count);
  const advertised = await Promise.all(
    ports.map(async ({ clients }, index) => (await options.advertised?.(index, clients)) ?? `127.0.0.1:${clients}`),
  );

  let processes: readonly ServerProcess[] = [];
  let certificates: Certificates | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.kill()));
    if (discard !== undefined) await rm(discard, { recursive: true, force: true });
  };
  const onAbort = (): void => { void stop(); };
  try {
    const { protocol, properties, formatArgs, ...made } = await kafkaSecurity(options.security ?? {}, folder);
    certificates = made.certificates;
    processes = await Promise.all(
      ports.map(({ internal }, index) =>
        createKafkaNode({
          nodeId: index + 1,
          folder: path.join(folder, `broker-${index + 1}`),
          java,
          properties: {
            ...kafkaProperties({ ports, index, advertised: advertised[index] ?? '', protocol, security: properties }),
            ...options.properties,
          },
          internalPort: internal,
          clusterId,
          formatArgs,
          discard,
        }),
      ),
    );
    signal?.addEventListener('abort', onAbort);
    signal?.throwIfAborted();
    await Promise.all(processes.map((process) => process.start()));
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return {
    brokers: advertised,
    nodes: processes.map((process, index) => nodeOf(process, `127.0.0.1:${ports[index]?.clients ?? 0}`)),
    certificates,
    unref: () => processes.forEach((process) => process.unref()),
    stop,
  };
}
