import type { ClusterNode } from './cluster-node.ts';
import { imagesFolder } from './cluster-node.ts';
import type { ClusterServers } from './cluster-servers.ts';

/** What to try after the quick start of a cluster. */
export const clusterNextSteps = `npm run cluster -- --stay                   # the same, and it stays until Ctrl-C, for you to try
npm run chaos -- --minutes 2                # nodes, brokers and NATS are killed under load, and all is checked`;

/** What to try on the cluster while it stays in the scratch folder. */
export function stepsOnCluster(folder: string, { kafka, nats }: ClusterServers, nodes: readonly ClusterNode[]): string {
  const [one, two] = nodes.map(({ service }) => service);
  const image = 'https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2';
  return `As long as this terminal runs, in another one:

npx lehr import ${image} --server ${one?.grpcAddress ?? ''}
npx lehr tasks watch --server ${two?.grpcAddress ?? ''}    # the same tasks from the other node
npx lehr events --follow --server ${two?.grpcAddress ?? ''}    # every event as it happens
curl ${one?.httpUrl ?? ''}/readyz
kill -9 ${one?.pid ?? ''}    # node 1; node 2 goes on

A third node:
npx lehr serve --log kafka --kafka-brokers ${kafka} --nats-servers ${nats} --store-dir ${imagesFolder(folder)} --data-dir node-3 --grpc-port 0 --http-port 0

Ctrl-C here ends everything.`;
}
