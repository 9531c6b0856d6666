import { readFileSync } from 'node:fs';
import path from 'node:path';

import type { LehrServer } from '../../acceptance/harness/lehr-server.ts';
import { awaitEvent } from './await-event.ts';

/** A node, and whether it works on an attempt. */
export interface Runner {
  readonly runner: LehrServer;
  readonly others: readonly LehrServer[];
  /** The life of the node that began the attempt. */
  readonly incarnation: string;
}

/** Waits until an attempt of a task has started, and tells which of `nodes` runs it; the first of them that lives is asked. */
export async function runnerOf(nodes: readonly LehrServer[], taskId: string, attempt = 1): Promise<Runner> {
  const { payload } = await awaitEvent(
    nodes[0]!.api, `tasks/${taskId}`, ({ payload: what }) => what?.$case === 'attemptStarted' && what.value.attempt === attempt,
  );
  const incarnation = payload?.$case === 'attemptStarted' ? payload.value.incarnation : '';
  const runner = nodes.find(({ folder }) => incarnation.startsWith(`${nodeIdOf(folder)}.`));
  if (runner === undefined) throw new Error(`attempt ${attempt} runs on none of these nodes, but on ${incarnation}`);
  return { runner, others: nodes.filter((node) => node !== runner), incarnation };
}

function nodeIdOf(dataFolder: string): string {
  return (JSON.parse(readFileSync(path.join(dataFolder, 'node.json'), 'utf8')) as { readonly node: string }).node;
}
