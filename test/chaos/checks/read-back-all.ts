import type { History } from '../history.ts';
import type { ChaosClient } from '../load/chaos-client.ts';
import { doorsOf } from '../load/doors-of.ts';
import type { ChaosNode } from '../nodes/chaos-node.ts';

/** Calls that are open at once. */
const callsAtOnce = 16;

/** Reads every task that was acknowledged on every node, with the newest token; the check of the history judges the answers. */
export async function readBackAll(history: History, client: ChaosClient, nodes: readonly ChaosNode[]): Promise<void> {
  const reads = [...history.acknowledged].flatMap(([requestId, { id }]) => doorsOf(nodes).map((door) => ({ requestId, id, door })));
  const reader = async (): Promise<void> => {
    for (let read = reads.pop(); read !== undefined; read = reads.pop()) {
      await client.get(read.door, read.requestId, read.id, 'with the newest token');
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, reader));
}
