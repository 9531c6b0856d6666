import { missingTool } from './missing-tool.ts';
import { runCommand } from './run-command.ts';
import { TOOLS } from './tool-list.ts';
import type { Tool } from './tool-list.ts';

/** A probe that takes longer has failed. */
const PROBE_TIMEOUT_MS = 20_000;

/** Each command that installs something is given up after this time. */
const INSTALL_TIMEOUT_MS = 240_000;

/** Which tools there are, by name, and for each that is missing one sentence that says what is skipped and what to install. */
export type ToolReport = { readonly available: readonly string[]; readonly missing: readonly string[] };

const isUsable = async ({ probe: [command, ...args] }: Tool): Promise<boolean> =>
  (await runCommand(command, args, { timeoutMs: PROBE_TIMEOUT_MS })).succeeded;

async function split(tools: readonly Tool[]): Promise<{ usable: readonly Tool[]; unusable: readonly Tool[] }> {
  const usable = await Promise.all(tools.map(isUsable));
  return { usable: tools.filter((_, index) => usable[index]), unusable: tools.filter((_, index) => !usable[index]) };
}

/** Installs each by itself and in order, so that one that is not to be had does not keep the others away. */
async function install(tools: readonly Tool[]): Promise<void> {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: INSTALL_TIMEOUT_MS };
  const isRoot = process.getuid?.() === 0;
  if (isRoot && tools.some(({ source }) => source.kind === 'packages')) await runCommand('apt-get', ['-qq', 'update'], options);
  for (const { source } of tools) {
    switch (source.kind) {
      case 'packages':
        if (isRoot) await runCommand('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...source.packages], options);
        break;
      case 'command': {
        const [command, ...args] = source.command;
        await runCommand(command, args, options);
        break;
      }
      default:
        source satisfies never;
    }
  }
}

/**
 * Finds what tests need beside Node, and first installs what is missing where that is allowed: programs as root with
 * apt-get, what stays inside the checkout always.
 */
export async function findTools(): Promise<ToolReport> {
  const before = await split(TOOLS);
  if (before.unusable.length > 0) await install(before.unusable);
  const { usable, unusable } = before.unusable.length > 0 ? await split(TOOLS) : before;
  return { available: usable.map((tool) => tool.name), missing: unusable.map(missingTool) };
}
