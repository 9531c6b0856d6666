import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { startKafka } from '../../../scripts/servers/start-kafka.ts';
import { startNats } from '../../../scripts/servers/start-nats.ts';
import { startTcpProxy } from '../../../scripts/servers/tcp-proxy.ts';
import type { TcpProxy } from '../../../scripts/servers/tcp-proxy.ts';
import { Teardowns } from '../../acceptance/harness/teardowns.ts';
import type { LaneVictim } from '../faults/plan-faults.ts';
import { brokerVictims } from '../faults/broker-victims.ts';
import { linkVictim } from '../faults/link-victim.ts';
import { nodeVictim } from '../faults/node-victim.ts';
import { serverVictim } from '../faults/server-victim.ts';
import type { Ledger } from '../ledger.ts';
import { ChaosNode } from './chaos-node.ts';
import type { Deployment } from './deployment.ts';
import { nodeSettings } from './node-settings.ts';

/** Nodes of a cluster; it has as many brokers. */
const nodeCount = 3;

/** Partitions of the topic: more than brokers, so that each leads some. */
const partitions = 6;

/** Enough for a broker with little to do. */
const brokerHeapMiB = 256;

const topic = 'lehr.chaos';

const numbers = Array.from({ length: nodeCount }, (_, index) => index + 1);

/**
 * Three nodes that share a folder of images, three brokers and one nats-server. Clients reach each broker through one proxy that is
 * all that they are told of it, and each node reaches the nats-server through a proxy of its own.
 */
export async function startCluster(folder: string, ledger: Ledger): Promise<Deployment> {
  const undo = new Teardowns();
  const proxyTo = async (port: number): Promise<TcpProxy> => {
    const proxy = await startTcpProxy(port);
    undo.teardown(() => proxy.stop());
    return proxy;
  };
  try {
    const brokerProxies = new Map<number, TcpProxy>();
    const kafka = await startKafka({
      folder: path.join(folder, 'kafka'),
      brokers: nodeCount,
      heapMiB: brokerHeapMiB,
      advertised: async (index, port) => {
        const proxy = await proxyTo(port);
        brokerProxies.set(index, proxy);
        return `127.0.0.1:${proxy.port}`;
      },
    });
    undo.teardown(() => kafka.stop());
    const nats = await startNats({ folder: path.join(folder, 'nats') });
    undo.teardown(() => nats.stop());
    const natsPort = Number(nats.url.split(':')[1]);
    const natsProxies = await Promise.all(numbers.map(() => proxyTo(natsPort)));

    const storeFolder = path.join(folder, 'store');
    const exportsFolder = path.join(folder, 'exports');
    mkdirSync(exportsFolder);
    const makeNode = (number: number, natsAddress: string): ChaosNode => new ChaosNode(`node-${number}`, path.join(folder, `node-${number}`), {
      ...nodeSettings(exportsFolder), log: 'kafka', 'kafka-brokers': kafka.brokers.join(','), 'kafka-topic': topic, 'kafka-partitions': String(partitions),
      'nats-servers': natsAddress, 'store-dir': storeFolder,
    }, ledger);
    const nodes = numbers.map((number, index) => makeNode(number, `127.0.0.1:${natsProxies[index]?.port ?? 0}`));
    const made = [...nodes];
    undo.teardown(() => Promise.all(made.map((node) => node.retire())));
    for (const node of nodes) node.start();

    const victims = [
      ...nodes.map(nodeVictim),
      ...brokerVictims({ kafka, topic, partitions, links: kafka.nodes.map((_, index) => brokerProxies.get(index)!) }),
      serverVictim('nats', nats),
      ...natsProxies.map((proxy, index) => linkVictim(`link node-${index + 1} nats`, proxy)),
    ];
    const nodeTargets: readonly LaneVictim[] = nodes.map(({ name }) => ({ name, harms: ['kill', 'kill', 'pause', 'pause', 'stop'] }));
    return {
      nodes, storeFolder, exportsFolder,
      victims: new Map(victims.map((victim) => [victim.name, victim])),
      lanes: [
        { name: 'nodes', victims: nodeTargets, shortestGapMs: 2_000, longestGapMs: 10_000 },
        { name: 'more nodes', victims: nodeTargets, shortestGapMs: 4_000, longestGapMs: 20_000 },
        {
          name: 'brokers', shortestGapMs: 5_000, longestGapMs: 12_000,
          victims: [
            { name: 'leader', harms: ['kill', 'kill', 'pause', 'pause'] },
            ...numbers.flatMap((number): LaneVictim[] => [
              { name: `broker-${number}`, harms: ['kill', 'pause'] }, { name: `link broker-${number}`, harms: ['cut', 'hang'] },
            ]),
          ],
        },
        {
          name: 'nats', shortestGapMs: 3_000, longestGapMs: 12_000,
          victims: [
            { name: 'nats', harms: ['kill', 'pause', 'empty'] },
            ...numbers.map((number): LaneVictim => ({ name: `link node-${number} nats`, harms: ['cut', 'hang'] })),
          ],
        },
      ],
      makeNewcomer: () => {
        const newcomer = makeNode(nodeCount + 1, nats.url);
        made.push(newcomer);
        return newcomer;
      },
      stop: () => undo.run(),
    };
  } catch (error) {
    await undo.run();
    throw error;
  }
}
