import type { ChaosNode } from '../nodes/chaos-node.ts';
import type { Ledger } from '../ledger.ts';

/**
 * No node ever has more memory resident. A server that does little has 150 MiB; buffers for bytes, projections and batches of
 * records, all bounded, come on top.
 */
export const memoryLimitBytes = 640 * 1_024 * 1_024;

/** The memory of a node stayed within its bound. */
export function checkMemory(ledger: Ledger, { name, peakBytes }: Pick<ChaosNode, 'name' | 'peakBytes'>): void {
  if (peakBytes <= memoryLimitBytes) return;
  ledger.violate('the memory of every node is bounded', `${name} had ${Math.round(peakBytes / 2 ** 20)} MiB resident`);
}
