/** Three nodes that nobody harms until the last test: what holds on each of them. */
import { anyNodeTests } from './any-node.ts';
import { eventsTests, followTests } from './events.ts';
import { expiryTests } from './expiry.ts';
import { shareCluster } from './harness/shared-cluster.ts';
import { canCluster } from './harness/with-servers.ts';

if (canCluster) {
  const shared = shareCluster();
  // The first ones, since the log holds nothing else then.
  eventsTests(shared);
  expiryTests(shared);
  anyNodeTests(shared);
  // The last one, since it ends a node.
  followTests(shared);
}
