/** The name under which tests ask for a tool. */
export type ToolName = 'qemu-img' | 'python3-grpcio' | 'protoc';

/** A program beside Node that some tests need. */
export type Tool = {
  readonly name: ToolName;
  /** A command that succeeds where the tool is usable. */
  readonly probe: readonly [command: string, ...args: string[]];
  /** The Debian packages that bring it. */
  readonly packages: readonly string[];
  /** What is not tested without it, as it reads after "without it". */
  readonly skipped: string;
};

/** All tools that tests ask for; tests find out about them through test/tooling/has-tool.ts. */
export const TOOLS: readonly Tool[] = [
  {
    name: 'qemu-img',
    probe: ['qemu-img', '--version'],
    packages: ['qemu-utils'],
    skipped: 'no image that another program made is inspected',
  },
  {
    // Debian's own Python by its path: packages are not seen by another Python that comes first on PATH.
    name: 'python3-grpcio',
    probe: ['/usr/bin/python3', '-c', 'import grpc, google.protobuf'],
    packages: ['python3-grpcio', 'python3-protobuf'],
    skipped: 'no foreign gRPC client calls the service',
  },
  {
    name: 'protoc',
    probe: ['sh', '-c', 'protoc --version && command -v grpc_python_plugin'],
    packages: ['protobuf-compiler', 'protobuf-compiler-grpc'],
    skipped: 'no client is generated from proto/ by protoc',
  },
];
