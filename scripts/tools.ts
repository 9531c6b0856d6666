import { runCommand } from './run-command.ts';

/** A program beside Node that some tests need. */
type Tool = {
  /** The name under which tests ask for it in `TEST_TOOLS`. */
  readonly name: string;
  /** A command that succeeds where the tool is usable. */
  readonly probe: readonly [command: string, ...args: string[]];
  /** The Debian packages that bring it. */
  readonly packages: readonly string[];
  /** What is not tested without it, as it reads after "without it". */
  readonly skipped: string;
};

const TOOLS: readonly Tool[] = [
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

/** A probe that takes longer has failed. */
const PROBE_TIMEOUT_MS = 20_000;

/** apt-get is given up after this time. */
const INSTALL_TIMEOUT_MS = 240_000;

/** Which tools there are, by name, and for each that is missing one sentence that says what is skipped and what to install. */
export type ToolReport = { readonly available: readonly string[]; readonly missing: readonly string[] };

const isUsable = async ({ probe: [command, ...args] }: Tool): Promise<boolean> =>
  (await runCommand(command, args, { timeoutMs: PROBE_TIMEOUT_MS })).succeeded;

async function split(tools: readonly Tool[]): Promise<{ usable: readonly Tool[]; unusable: readonly Tool[] }> {
  const usable = await Promise.all(tools.map(isUsable));
  return { usable: tools.filter((_, index) => usable[index]), unusable: tools.filter((_, index) => !usable[index]) };
}

async function install(tools: readonly Tool[]): Promise<void> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: INSTALL_TIMEOUT_MS };
  await runCommand('apt-get', ['-qq', 'update'], options);
  // One call for each tool, so that a package that is not to be had does not keep the others away.
  for (const { packages } of tools) {
    await runCommand('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...packages], options);
  }
}

/**
 * Finds the programs that tests need, and first installs those that are missing where that is allowed: as root, with
 * apt-get.
 */
export async function findTools(): Promise<ToolReport> {
  const before = await split(TOOLS);
  if (before.unusable.length > 0 && process.getuid?.() === 0) await install(before.unusable);
  const { usable, unusable } = before.unusable.length > 0 ? await split(TOOLS) : before;
  return {
    available: usable.map((tool) => tool.name),
    missing: unusable.map(
      ({ name, skipped, packages }) => `${name} is missing; without it ${skipped}. Install it with: apt-get install ${packages.join(' ')}`,
    ),
  };
}
