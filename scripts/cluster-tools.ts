import { existsSync } from 'node:fs';

import { missingTool } from './missing-tool.ts';
import { runCommand } from './run-command.ts';
import { KAFKA_LIB } from './servers/kafka-jars.ts';
import { TOOLS } from './tool-list.ts';
import type { Tool, ToolName } from './tool-list.ts';

/** A probe that takes longer has failed. */
const PROBE_TIMEOUT_MS = 20_000;

/** For each program that a Kafka broker or a nats-server needs here and that is missing, one sentence that says how to install it. */
export async function missingClusterTools(): Promise<readonly string[]> {
  // Maven only fetches the jars.
  const needed: readonly ToolName[] = ['java', ...(existsSync(KAFKA_LIB) ? [] : ['maven' as const]), 'nats-server'];
  const tools = TOOLS.filter(({ name }) => needed.includes(name));
  const usable = await Promise.all(tools.map(isUsable));
  return tools.filter((_, index) => usable[index] === false).map(missingTool);
}

async function isUsable({ probe: [command, ...args] }: Tool): Promise<boolean> {
  return (await runCommand(command, args, { timeoutMs: PROBE_TIMEOUT_MS })).succeeded;
}
