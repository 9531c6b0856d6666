import type { ChaosNode } from '../nodes/chaos-node.ts';
import type { Door } from './chaos-client.ts';

/** The nodes that take calls now; one that is paused seems to. */
export function doorsOf(nodes: readonly ChaosNode[]): readonly Door[] {
  return nodes.flatMap(({ name, api }) => (api === undefined ? [] : [{ name, api }]));
}
