/** Nodes that sleep, die, stop and are started again: one cluster, of which fewer and fewer are left. */
import { shareCluster } from './harness/shared-cluster.ts';
import { canCluster } from './harness/with-servers.ts';
import { takeoverTests } from './takeover.ts';
import { zombieTests } from './zombie.ts';

/** Tasks that a node works on at once: even the last one has room for all that is taken over. */
const transfers = 5;

if (canCluster) {
  const shared = shareCluster({ transfers: String(transfers) });
  zombieTests(shared, transfers);
  takeoverTests(shared);
}
