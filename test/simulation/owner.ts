import { fingerprintOf } from '../../src/api/fingerprint.ts';
import { taskIdOfRequest } from '../../src/api/task-ids.ts';
import type { Payload } from '../../src/domain/decision.ts';
import type { CreateTask } from '../../src/domain/task/task-command.ts';
import type { ImageProperties, TaskSpec } from '../../src/gen/lehr/v1/task.ts';
import type { Position } from '../../src/log/position.ts';
import { ProjectionLaggingError } from '../../src/streams/read-side.ts';
import { AppendUnknownError } from '../../src/streams/streams.ts';
import type { Cluster } from './cluster.ts';
import type { PlannedTask } from './plan.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** A caller waits so long for an answer, then asks again, perhaps another node. */
const answerWaitMs = 15_000;

const owner = 'blue';

/** What was acknowledged to the owner of one task, and therefore must be so at the end. */
export interface Promises {
  readonly taskId: string;
  created: boolean;
  canceled: boolean;
  /** A cancel was refused because the image is stored already. */
  committed: boolean;
  deleted: boolean;
}

/** The owner of one task: does what the plan says, through whatever nodes are up, and remembers what it was told. */
export class Owner {
  readonly promises: Promises;
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #task: PlannedTask;
  #hasCanceled = false;

  constructor(world: World, cluster: Cluster, task: PlannedTask) {
    this.#world = world;
    this.#cluster = cluster;
    this.#task = task;
    this.promises = { taskId: taskIdOfRequest(owner, task.requestId), created: false, canceled: false, committed: false, deleted: false };
    const { scheduler } = world;
    const { createAtMs, repeatAtMs, reuseAtMs, cancelAtMs } = task;
    scheduler.at(createAtMs, () => void this.#create());
    if (repeatAtMs !== undefined) scheduler.at(repeatAtMs, () => void this.#create());
    if (reuseAtMs !== undefined) scheduler.at(reuseAtMs, () => void this.#reuse());
    if (cancelAtMs !== undefined) scheduler.at(cancelAtMs, () => void this.#cancel());
  }

  get destination(): string | undefined {
    return this.#task.source.kind === 'export' ? this.#task.source.uri : undefined;
  }

  /** Something has happened to the task. */
  onEvent($case: Payload['$case']): void {
    const { deleteAfterMs, cancelAfter, source } = this.#task;
    const { scheduler, random } = this.#world;
    if ($case === 'taskSucceeded' && source.kind !== 'export' && deleteAfterMs !== undefined) scheduler.at(deleteAfterMs, () => void this.#delete());
    if ($case === cancelAfter && !this.#hasCanceled) {
      this.#hasCanceled = true;
      scheduler.at(random.between(0, 60), () => void this.#cancel());
    }
  }

  /** Somebody has begun to clone the image, which is there: it is deleted about when the bytes get their second name. */
  onClone(): void {
    const { scheduler, random } = this.#world;
    if (random.chance(0.3)) scheduler.at(random.between(0, 60), () => void this.#delete());
  }

  /** The export has made its object, and the log does not know yet: a cancel that comes now has it withdrawn. */
  onExported(): void {
    const { scheduler, random } = this.#world;
    if (random.chance(0.2)) scheduler.at(random.between(0, 60), () => void this.#cancel());
  }

  async #create(): Promise<void> {
    const { taskId } = this.promises;
    const answer = await this.#ask('create', (node) => node.tasks.execute(taskId, commandOf(this.#task, 'debian', node)));
    if (answer.kind === 'refused') return this.#world.violate('the same request is answered with the task that exists', `${taskId}: ${answer.message}`);
    this.promises.created = true;
    await this.#readBack(answer.position, answer.state.status === 'absent' ? 0n : answer.state.revision);
  }

  /** Other content under the same request id. */
  async #reuse(): Promise<void> {
    if (!this.promises.created) return;
    const { taskId } = this.promises;
    const answer = await this.#ask('reuse', (node) => node.tasks.execute(taskId, commandOf(this.#task, 'other', node)));
    if (answer.kind !== 'refused' || answer.reason !== 'REQUEST_ID_REUSED') {
      this.#world.violate('other content under a used request id is refused', `${taskId}: ${answer.kind}`);
    }
  }

  async #cancel(): Promise<void> {
    const { taskId, created } = this.promises;
    const answer = await this.#ask('cancel', (node) => node.tasks.execute(taskId, { type: 'requestCancel', now: node.life.clock.now() }));
    if (answer.kind !== 'refused') {
      this.promises.canceled = true;
      this.#world.count('cancel acknowledged');
    } else if (answer.reason === 'TASK_COMMITTED') {
      this.promises.committed = true;
      this.#world.count('cancel too late');
    } else if (answer.reason === 'TASK_NOT_FOUND' && created) {
      this.#world.violate('a node that lags never refuses wrongly', `${taskId} was created and then not found`);
    }
  }

  async #delete(): Promise<void> {
    const { taskId } = this.promises;
    const answer = await this.#ask('delete', (node) => node.images.execute(taskId, { type: 'deleteImage', now: node.life.clock.now() }));
    // A repeated delete, its first answer lost, is refused because the image was deleted.
    if (answer.kind === 'refused' && answer.reason !== 'IMAGE_DELETED') {
      return this.#world.violate('the image of a task that succeeded can be deleted', `${taskId}: ${answer.reason}`);
    }
    this.promises.deleted = true;
  }

  /** A read with the token of an answer never sees less. */
  async #readBack(position: Position, revision: bigint): Promise<void> {
    const { taskId } = this.promises;
    const seen = await this.#ask('read', async (node) => {
      await node.readSide.reached(position);
      return node.queries.get(taskId)?.revision ?? 0n;
    });
    if (seen < revision) this.#world.violate('a read that carries a token never sees less', `${taskId}: revision ${seen} after ${revision}`);
  }

  /** Asks until somebody answers. An answer may be lost on its way although the node did what was asked. */
  async #ask<T>(what: string, ask: (node: SimNode) => Promise<T>): Promise<T> {
    const { random, scheduler } = this.#world;
    for (;;) {
      const { ready } = this.#cluster;
      if (ready.length > 0) {
        const node = random.pick(ready);
        const answered = await Promise.race([this.#once(what, node, ask), scheduler.sleep(answerWaitMs).then(() => undefined)]);
        if (answered !== undefined && !this.#world.strikes(0.02)) return answered.value;
      }
      await scheduler.sleep(random.between(100, 3_000));
    }
  }

  async #once<T>(what: string, node: SimNode, ask: (node: SimNode) => Promise<T>): Promise<{ readonly value: T } | undefined> {
    try {
      return { value: await ask(node) };
    } catch (cause) {
      const expected = cause instanceof AppendUnknownError || cause instanceof ProjectionLaggingError;
      if (!expected) this.#world.violate('nothing throws what it should not', `${what}: ${String((cause as Error).stack)}`);
      return undefined;
    }
  }
}

function kindOf(source: PlannedTask['source'], image: ImageProperties): TaskSpec['kind'] {
  switch (source.kind) {
    case 'import':
      return {
        $case: 'importImage',
        value: {
          sourceUri: source.uri, sourceFormat: 'DISK_FORMAT_UNSPECIFIED', expectedDigest: '', storeFormat: 'DISK_FORMAT_UNSPECIFIED',
          image, credential: '',
        },
      };
    case 'clone':
      return { $case: 'cloneImage', value: { sourceRegion: '', imageId: taskIdOfRequest(owner, source.ofRequestId), image } };
    case 'export':
      return {
        $case: 'exportImage',
        value: {
          imageId: taskIdOfRequest(owner, source.ofRequestId), destinationUri: source.uri, format: 'DISK_FORMAT_RAW',
          // Stands for other content, since an export gives no name to anything.
          compression: image.name === 'other' ? 'COMPRESSION_NONE' : 'COMPRESSION_UNSPECIFIED', credential: '',
        },
      };
    default:
      return source satisfies never;
  }
}

function commandOf({ source, ttlMs, requestId }: PlannedTask, name: string, node: SimNode): CreateTask {
  const image = { name, tags: ['linux'], properties: {} };
  const spec: TaskSpec = {
    kind: kindOf(source, image),
  };
  const labels = { env: 'prod' };
  const ttl = { seconds: BigInt(ttlMs / 1_000), nanos: 0 };
  return {
    type: 'createTask', id: taskIdOfRequest(owner, requestId), owner, spec, labels, ttl, requestId,
    fingerprint: fingerprintOf({ spec, labels, ttl }), now: node.life.clock.now(),
  };
}
