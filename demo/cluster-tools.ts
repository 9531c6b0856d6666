import { existsSync } from 'node:fs';

import { missingTool } from '../scripts/missing-tool.ts';
import { runCommand } from '../scripts/run-command.ts';
import { KAFKA_LIB } from '../scripts/servers/kafka-jars.ts';
import { TOOLS } from '../scripts/tool-list.ts';
import type { Tool, ToolName } from '../scripts/tool-list.ts';
import { DemoError } from './run-to-the-end.ts';

/** A probe that takes longer has failed. */
const probeTimeoutMs = 20_000;

/** Throws a `DemoError` that says what is missing of Java, Maven and nats-server, and how to install it. */
export async function checkClusterTools(): Promise<void> {
  const needed: readonly ToolName[] = ['java', ...(existsSync(KAFKA_LIB) ? [] : ['maven' as const]), 'nats-server'];
  const missing: Tool[] = [];
  for (const name of needed) if (!(await isUsable(tool(name)))) missing.push(tool(name));
  if (missing.length === 0) return;
  throw new DemoError(['the cluster needs what is not here.', ...missing.map(missingTool)].join('\n'));
}

async function isUsable({ probe: [command, ...args] }: Tool): Promise<boolean> {
  return (await runCommand(command, args, { timeoutMs: probeTimeoutMs })).succeeded;
}

function tool(name: ToolName): Tool {
  const found = TOOLS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new TypeError(`there is no tool ${name}`);
  return found;
}
