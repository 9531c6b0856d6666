/**
 * The quick start of a cluster: a Kafka broker, a nats-server and two nodes on loopback. One node is killed while it imports an
 * image, and the other one takes over. Everything lies in a scratch folder that is gone afterwards. Takes about 35 seconds;
 * with `--stay` it stays until Ctrl-C.
 */
import { once } from 'node:events';

import { missingClusterTools } from '../scripts/cluster-tools.ts';
import { clusterNextSteps, stepsOnCluster } from './cluster-next-steps.ts';
import { startClusterNode } from './cluster-node.ts';
import { startClusterServers } from './cluster-servers.ts';
import { lehrIn } from './lehr-command.ts';
import { makeDiskImage } from './make-disk-image.ts';
import { heading, say, showCommand } from './narrate.ts';
import { DemoError, runToTheEnd } from './run-to-the-end.ts';
import { openScratch } from './scratch.ts';
import { serveSlowly } from './slow-web-server.ts';
import { taskOverHttp } from './task-over-http.ts';

/** The node is killed when it has this share of the image. */
const shareAtTheKill = 0.4;

const words = process.argv.slice(2);
const isStaying = words.includes('--stay');
if (words.some((word) => word !== '--stay')) {
  process.stderr.write('Usage: npm run cluster -- [--stay]\n');
  process.exit(2);
}

await runToTheEnd('cluster', async (interrupted) => {
  const missing = await missingClusterTools();
  if (missing.length > 0) throw new DemoError(['the cluster needs what is not here.', ...missing].join('\n'));
  await using scratch = await openScratch('cluster', interrupted);

  heading('1. Kafka, which holds the log, and NATS, which carries jobs and signals');
  const servers = await startClusterServers(scratch);
  say(`Kafka at ${servers.kafka}, NATS at ${servers.nats}, their data in ${scratch.folder}`);

  heading('2. Two nodes that share a folder of images, and a slow web server');
  const nodes = await Promise.all([1, 2].map((number) => startClusterNode(scratch, servers, number)));
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new TypeError('two nodes were started');
  for (const { name, service: { grpcAddress, httpUrl } } of nodes) say(`${name}: gRPC on ${grpcAddress}, HTTP on ${httpUrl}`);
  const disk = await makeDiskImage(scratch.folder, scratch.signal);
  const web = await serveSlowly({ '/debian.qcow2': disk.file });
  scratch.leave(() => web.close());
  say(`${disk.description}, served at ${web.url}/debian.qcow2`);

  heading('3. An import, accepted by node 1: it is in Kafka before the answer comes');
  let id = '';
  await lehrIn(scratch, first.service.grpcAddress, true).lines(0, (line) => { id ||= /^task (\S+) accepted$/.exec(line)?.[1] ?? ''; },
    'import', `${web.url}/debian.qcow2`, '--name', 'debian', '--label', 'env=demo', '--digest', disk.digest);

  heading('4. Watched from the other node, while the one that works on it is killed');
  const runner = await taskOverHttp(first.service.httpUrl, id, scratch.signal).runner(0);
  const [killed, left] = runner === first.incarnation() ? [first, second] : [second, first];
  say(`${killed.name} works on it`);
  const lehr = lehrIn(scratch, left.service.grpcAddress, true);
  const watched = lehr.lines(0, () => undefined, 'tasks', 'watch', id);
  const kill = async (): Promise<void> => {
    await taskOverHttp(left.service.httpUrl, id, scratch.signal).runner(shareAtTheKill);
    showCommand(['kill', '-9', String(killed.service.pid)]);
    await killed.service.kill();
    say(`${killed.name} is gone; ${left.name} waits 8 s for a sign of life and takes over`);
  };
  await Promise.all([watched, kill()]);

  heading('5. The history of the task, event by event');
  await lehr(0, 'tasks', 'history', id);

  heading('6. The image that it made');
  await lehr(0, 'images', 'show', id);

  heading('7. The chain of events, recomputed from what Kafka holds');
  await lehr(0, 'verify');

  heading('8. The node that was killed, started again: it reads what it has missed');
  const back = await startClusterNode(scratch, servers, killed.number);
  say(`${back.name}: gRPC on ${back.service.grpcAddress}, HTTP on ${back.service.httpUrl}`);
  await lehrIn(scratch, back.service.grpcAddress, true)(0, 'tasks', 'list');

  heading('Now you');
  if (!isStaying) {
    say(clusterNextSteps);
    return undefined;
  }
  say(stepsOnCluster(scratch.folder, servers, [back, left].toSorted((a, b) => a.number - b.number)));
  await stayUntil(scratch.signal);
  return 'told';
});

/** Resolves on Ctrl-C. */
async function stayUntil(interrupted: AbortSignal): Promise<void> {
  if (interrupted.aborted) return;
  // Something has to keep the process alive when all servers have been killed by somebody else.
  const alive = setInterval(() => undefined, 60_000);
  await once(interrupted, 'abort');
  clearInterval(alive);
}
