import { setTimeout as sleep } from 'node:timers/promises';

import { importFrom } from '../../acceptance/harness/tasks.ts';
import { readyLimitMs } from '../nodes/ready-limit.ts';
import type { Run } from './check-run.ts';

/** Once all is healed, a small import that is asked for now has succeeded after so long. */
const probeLimitMs = 60_000;

const lookEveryMs = 200;

/** Every node is ready when everything is healed, takes a task, and shows it succeed. */
export async function probeNodes({ ledger, client, sources, deployment: { nodes }, random }: Run): Promise<void> {
  await Promise.all(nodes.map(async (node) => {
    const startMs = performance.now();
    if (!await node.ready(readyLimitMs)) return ledger.violate('every node is ready after everything is healed', node.name);
    const requestId = `probe-${node.name}`;
    const url = sources.open(requestId, 'good', random);
    let last = 'nothing was answered';
    for (; performance.now() - startMs < readyLimitMs + probeLimitMs; await sleep(lookEveryMs)) {
      const { api, name } = node;
      if (api === undefined) continue;
      const { answer } = (await client.create({ name, api }, requestId, url, importFrom(url))).operation;
      if (answer.kind === 'ok' && answer.seen.state === 'STATE_SUCCEEDED') {
        return ledger.note(`${name} has carried out a task ${((performance.now() - startMs) / 1_000).toFixed(1)} s after the healing`);
      }
      last = JSON.stringify(answer);
    }
    ledger.violate('every node takes tasks after everything is healed', `${node.name}: ${last}`);
  }));
}
