import { spawnSync } from 'node:child_process';

import { missingTool } from '../../scripts/missing-tool.ts';
import { TOOLS } from '../../scripts/tool-list.ts';
import type { ToolName } from '../../scripts/tool-list.ts';

/** A probe that takes longer has failed. */
const PROBE_TIMEOUT_MS = 20_000;

/**
 * Whether something that a test needs is there. `npm test` has looked, and installed what it could, and says so in
 * `TEST_TOOLS`; a test that was started in another way looks here. Where the tool is missing, one line on stderr says
 * what is not tested, and the caller registers no test:
 * `if (hasTool('qemu-img')) test('…', …)`.
 */
export function hasTool(name: ToolName): boolean {
  const known = process.env['TEST_TOOLS'];
  if (known !== undefined) return known.split(',').includes(name);
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) return false;
  const [command, ...args] = tool.probe;
  const found = spawnSync(command, args, { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS }).status === 0;
  if (!found) process.stderr.write(`${missingTool(tool)}\n`);
  return found;
}
