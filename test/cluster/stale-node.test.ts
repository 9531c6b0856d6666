import test from 'ava';

import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { Refused } from '../acceptance/harness/refused.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport, importFrom } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Cluster } from './harness/cluster.ts';
import { insist } from './harness/insist.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';

/** So often each race between nodes is run, and so often a node is stopped while the others go on. */
const races = 6;
const pauses = 2;

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let cluster: Cluster;
/** The third works on no tasks, so that it can be stopped without holding any up. */
let nodes: readonly [LehrServer, LehrServer, LehrServer];
let source: SourceServer;
/** Gives half of an image, and nothing more. */
let endless: string;
let quick: string;

/** How a call ends when it is made again for as long as it is UNAVAILABLE: what it is answered with, or the reason of the refusal. */
async function outcome<Answer, Seen>(call: () => Promise<Answer>, seen: (answer: Answer) => Seen): Promise<Seen | string> {
  try {
    return seen(await insist(call));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.refusal.reason ?? error.refusal.code;
  }
}

const isCanceled = ({ task }: Awaited<ReturnType<LehrServer['api']['cancelTask']>>): boolean =>
  task?.cancelRequested === true || task?.state === 'STATE_CANCELED';

/** The same request again, and another one under the same request id. */
const requestOf = (requestId: string, label = 'same') => ({ ...importFrom(endless), requestId, labels: { label } });

if (canCluster) {
  test.before(async (t) => {
    source = await startSource(shared);
    endless = source.serve('/endless', new Gate(image.bytes).behaviour);
    quick = source.serve('/quick', gives(image.bytes));
    cluster = await Cluster.make(shared, await sharedServers(t));
    nodes = await Promise.all([cluster.start('a'), cluster.start('b'), cluster.start('c', { roles: 'api' })]);
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test.serial('a task that one node created this moment is known to the others that are asked to change it', async (t) => {
    for (let round = 0; round < races; round += 1) {
      const [creator, canceler, repeater] = [nodes[round % 3]!, nodes[(round + 1) % 3]!, nodes[(round + 2) % 3]!];
      const requestId = `moment-${round}`;
      const { task } = await creator.api.createTask(requestOf(requestId));
      const id = task!.id;
      t.deepEqual(await Promise.all([
        outcome(() => canceler.api.cancelTask({ id }), isCanceled),
        outcome(() => repeater.api.createTask(requestOf(requestId)), (again) => again.task?.id),
        outcome(() => repeater.api.createTask(requestOf(requestId, 'other')), () => 'a task'),
        outcome(() => creator.api.cancelTask({ id }), isCanceled),
      ]), [true, id, 'REQUEST_ID_REUSED', true], `round ${round}`);
    }
  });

  test.serial('of requests with one id that reach all nodes at once, one makes the task', async (t) => {
    for (let round = 0; round < races; round += 1) {
      const requestId = `once-${round}`;
      // The same content on two nodes, another on the third.
      const answers = await Promise.all(nodes.map(({ api }, index) =>
        outcome(() => api.createTask(requestOf(requestId, (index + round) % 3 === 0 ? 'other' : 'same')), ({ task }) => `${task?.id} ${task?.labels['label']}`)));
      const [made] = answers.filter((answer) => answer !== 'REQUEST_ID_REUSED');
      const [id, label] = made!.split(' ');
      t.deepEqual(answers, nodes.map((_, index) => ((index + round) % 3 === 0) === (label === 'other') ? made! : 'REQUEST_ID_REUSED'));
      t.is(story(await eventsOf(nodes[0].api, `tasks/${id}`)).filter((what) => what === 'taskCreated').length, 1);
      t.true(await outcome(() => nodes[round % 3]!.api.cancelTask({ id: id! }), isCanceled));
    }
  });

  test.serial('a rehearsal tells of the task that another node has made since the last one', async (t) => {
    const requestId = 'rehearsed';
    const [creator, rehearser] = nodes;
    // A source that gives all it has: a rehearsal looks at it.
    const request = (label: string) => ({ ...importFrom(quick), requestId, labels: { label } });
    const rehearse = (label: string) =>
      outcome(() => rehearser.api.createTask({ ...request(label), validateOnly: true }), ({ task }) => task?.revision);
    t.is(await rehearse('same'), 0n);
    const { task, readToken } = await creator.api.createTask(request('same'));
    const known = await rehearser.api.getTask({ id: task!.id, readToken });
    t.true(known.task!.revision >= 1n);
    t.not(await rehearse('same'), 0n);
    t.is(await rehearse('other'), 'REQUEST_ID_REUSED');
  });

  test.serial('an image that was changed or deleted this moment is so for the others that are asked to change it', async (t) => {
    for (let round = 0; round < pauses; round += 1) {
      const [importer, changer, deleter] = [nodes[round % 3]!, nodes[(round + 1) % 3]!, nodes[(round + 2) % 3]!];
      const { id } = await createImport(importer.api, quick);
      await awaitTask(importer.api, id);
      const rename = ({ api }: LehrServer, name: string) =>
        outcome(() => api.updateImage({ image: { id, name }, updateMask: ['name'] }), (answer) => answer.image?.name);
      // Each of them decides on what another one wrote last.
      t.is(await rename(changer, 'one'), 'one');
      t.is(await rename(deleter, 'two'), 'two');
      t.is(await rename(changer, 'three'), 'three');
      t.is(await outcome(() => changer.api.cancelTask({ id }), () => 'canceled'), 'TASK_ENDED');
      t.is(await outcome(() => deleter.api.deleteImage({ id }), ({ image: deleted }) => deleted?.name), 'three');
      t.is(await rename(changer, 'four'), 'IMAGE_NOT_FOUND');
      t.is(await rename(importer, 'four'), 'IMAGE_NOT_FOUND');
    }
  });

  test.serial('a node that was stopped while others went on decides on what they did', async (t) => {
    const [first, second, third] = nodes;
    const importImage = async (): Promise<string> => {
      const { id } = await createImport(first.api, quick);
      await awaitTask(third.api, id);
      return id;
    };
    const rename = ({ api }: LehrServer, id: string, name: string) => api.updateImage({ image: { id, name }, updateMask: ['name'] });
    for (let round = 0; round < pauses; round += 1) {
      const requestId = `meanwhile-${round}`;
      // What the third node has at hand when it is stopped.
      const [running, kept, lost] = await Promise.all([createImport(third.api, endless), importImage(), importImage()]);
      await Promise.all([rename(third, kept, 'early'), rename(third, lost, 'early')]);
      await awaitTask(third.api, running.id, ({ state }) => state === 'STATE_RUNNING');
      third.process.child.kill('SIGSTOP');
      const succeeding = await createImport(first.api, quick);
      const { task: created } = await second.api.createTask(requestOf(requestId));
      await Promise.all([
        first.api.cancelTask({ id: running.id }), rename(second, kept, 'late'), second.api.deleteImage({ id: lost }),
        awaitTask(first.api, succeeding.id),
      ]);
      // The calls reach it before what the others did.
      const asked = Promise.all([
        outcome(() => third.api.createTask(requestOf(requestId)), ({ task }) => task?.id),
        outcome(() => third.api.createTask(requestOf(requestId, 'other')), () => 'a task'),
        outcome(() => third.api.cancelTask({ id: running.id }), isCanceled),
        outcome(() => third.api.cancelTask({ id: created!.id }), isCanceled),
        outcome(() => third.api.cancelTask({ id: succeeding.id }), () => 'canceled'),
        outcome(() => rename(third, kept, 'latest'), ({ image: renamed }) => renamed?.name),
        outcome(() => rename(third, lost, 'latest'), () => 'an image'),
        outcome(() => third.api.deleteImage({ id: succeeding.id }), ({ image: deleted }) => deleted?.id),
      ]);
      third.process.child.kill('SIGCONT');
      t.deepEqual(
        await asked, [created!.id, 'REQUEST_ID_REUSED', true, true, 'TASK_ENDED', 'latest', 'IMAGE_NOT_FOUND', succeeding.id], `round ${round}`,
      );
    }
  });
}
