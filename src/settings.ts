import { availableParallelism } from 'node:os';
import {
  parseAddresses, parseBytes, parseChoice, parseDurationMs, parseFolders, parseInteger, parsePath, parsePositions, parseTopic, parseWords,
  type Parse, type SettingProblem,
} from './setting-values.ts';
import { parseRegions } from './regions/parse-regions.ts';
import { parseSourceAllow } from './sources/parse-source-allow.ts';

/** One setting: the same name as a flag, an environment variable (`LEHR_…`) and a key of `lehr.yaml`. */
export interface Setting<Value> {
  readonly fallback: string;
  readonly description: string;
  readonly parse: Parse<Value>;
}

function setting<Value>(fallback: string, description: string, parse: Parse<Value>): Setting<Value> {
  return { fallback, description, parse };
}

/** All settings of `lehr serve`, by name. */
export const settings = {
  'data-dir': setting('./.lehr', 'Folder of the log and the projections; with log kafka of the projections alone. Locked while the server runs.', parsePath),
  'store-dir': setting('', 'Folder of the images. Empty: the folder store in data-dir. In a cluster one folder that all nodes share.', parsePath),
  'http-port': setting('8080', 'Port for HTTP: Connect, gRPC-Web, image data, health, metrics. 0 picks one.', parseInteger(0, 65_535)),
  'grpc-port': setting('50051', 'Port for gRPC. 0 picks one.', parseInteger(0, 65_535)),
  listen: setting('127.0.0.1', 'Address to listen on. Without auth only a loopback address is taken.', parsePath),
  'task-ttl': setting('48h', 'How long a task stays listed after it ended: 1s to 3650d.', parseDurationMs(1_000, 3_650 * 86_400_000)),
  transfers: setting('256', 'Tasks that are worked on at once: 1 to 4096.', parseInteger(1, 4_096)),
  workers: setting(String(availableParallelism()), 'Threads that hash, inspect and write: 0 to 64. 0: this server takes no tasks, it only accepts them.', parseInteger(0, 64)),
  'attempt-limit': setting('5', 'Attempts that may fail before a task does: 1 to 100.', parseInteger(1, 100)),
  'stage-timeout': setting('24h', 'How long one stage of an attempt may take: 1s to 20d.', parseDurationMs(1_000, 20 * 86_400_000)),
  'idle-timeout': setting('60s', 'How long a source may send nothing, or a destination take nothing: 1s to 1h.', parseDurationMs(1_000, 3_600_000)),
  'max-image-bytes': setting('1TiB', 'The largest image, as received, decoded or stored.', parseBytes(1, 2 ** 50)),
  'max-decoded-ratio': setting('2000', 'How many times larger than its compressed form a decoded image may be, beyond 4 GiB: 10 to 10000000.', parseInteger(10, 10_000_000)),
  'max-virtual-bytes': setting('64TiB', "The largest guest's disk.", parseBytes(1, 2 ** 53)),
  sandbox: setting('required', 'How qemu-img is run: required (isolated, or not at all) or weak (where it cannot be isolated, with limits and without privileges alone).', parseChoice(['required', 'weak'])),
  'require-recognised-raw': setting('off', 'Whether raw disks are refused on which nothing is recognised: on or off (they are warned of).', parseChoice(['off', 'on'])),
  'file-roots': setting('', 'Folders that file:// may read from and write to, comma between. Empty: file:// is refused.', parseFolders),
  'source-allow': setting('', 'Private hosts, addresses and ranges that sources and destinations may lead to, loopback too, comma between: mirror.lan, *.corp.example:443, 10.1.0.0/16; private: all, none: none. Empty: with auth none private, otherwise none.', parseSourceAllow),
  credentials: setting('', 'YAML file of the secrets that tasks name, for s3://, swift://, http(s) and regions. Empty: there are none.', parsePath),
  regions: setting('', 'Other Lehrs that images are cloned from, name=address, comma between: dfw=http://10.0.0.5:8080,ord=https://lehr.ord.example. Empty: none.', parseRegions),
  roles: setting('api,worker', 'What this server does: api (answers calls), worker (works on tasks), or both.', parseWords(['api', 'worker'])),
  log: setting('sqlite', 'Where the log is: sqlite (in data-dir, one server) or kafka (a cluster).', parseChoice(['sqlite', 'kafka'])),
  'kafka-brokers': setting('', 'Kafka brokers to begin with, host:port, comma between.', parseAddresses),
  'kafka-topic': setting('lehr.events', 'Topic of the log: one a deployment. The jobs and signals in NATS are named after it.', parseTopic),
  'kafka-partitions': setting('12', 'Partitions of the topic, when it is made and ever after: 1 to 1024.', parseInteger(1, 1_024)),
  'kafka-replication': setting('0', 'Copies of each record when the topic is made: 0 to 9. 0: as many as there are brokers, at most 3.', parseInteger(0, 9)),
  'kafka-tls': setting('off', 'Whether the brokers are reached over TLS: on or off.', parseChoice(['off', 'on'])),
  'kafka-tls-ca': setting('', 'PEM file of the authorities that sign the brokers\' certificates. Empty: those of Node.js.', parsePath),
  'kafka-tls-cert': setting('', 'PEM file of the certificate to show to the brokers.', parsePath),
  'kafka-tls-key': setting('', 'PEM file of its key.', parsePath),
  'kafka-sasl': setting('none', 'How to log in to the brokers: none, plain, scram-sha-256 or scram-sha-512.', parseChoice(['none', 'plain', 'scram-sha-256', 'scram-sha-512'])),
  'kafka-username': setting('', 'Name to log in to the brokers with.', parsePath),
  'kafka-password-file': setting('', 'File that holds the password for the brokers, on its first line.', parsePath),
  'kafka-skip': setting('', 'Positions, partition-offset, of records that do not decode and that every node is to pass over, comma between.', parsePositions),
  'nats-servers': setting('', 'NATS servers to begin with, host:port, comma between. They need JetStream.', parseAddresses),
  'nats-credentials': setting('', 'File of NATS credentials (.creds).', parsePath),
  'nats-username': setting('', 'Name to log in to NATS with.', parsePath),
  'nats-password-file': setting('', 'File that holds the password for NATS, on its first line.', parsePath),
  'nats-tls': setting('off', 'Whether NATS is reached over TLS: on or off.', parseChoice(['off', 'on'])),
  'nats-tls-ca': setting('', 'PEM file of the authorities that sign the NATS servers\' certificates. Empty: those of Node.js.', parsePath),
  'nats-tls-cert': setting('', 'PEM file of the certificate to show to NATS.', parsePath),
  'nats-tls-key': setting('', 'PEM file of its key.', parsePath),
  store: setting('folder', 'Where the images are: folder.', parseChoice(['folder'])),
  auth: setting('none', 'Who may call: none (everybody who reaches the loopback address).', parseChoice(['none'])),
  'log-level': setting('info', 'How much is written to standard error: error, warn, info, debug.', parseChoice(['error', 'warn', 'info', 'debug'])),
} as const satisfies Record<string, Setting<unknown>>;

/** The name of a setting. */
export type SettingName = keyof typeof settings;

/** The configuration: the value of each setting. */
export type Config = { readonly [Name in SettingName]: Exclude<ReturnType<(typeof settings)[Name]['parse']>, SettingProblem> };
