import { decideImage, evolveImage, absentImage, type ImageState } from '../../src/domain/image/image.ts';
import { registerImageOf } from '../../src/domain/image/image-of-task.ts';
import type { DomainEvent } from '../../src/domain/decision.ts';
import { failure } from '../../src/domain/failures.ts';
import { decideTask } from '../../src/domain/task/decide-task.ts';
import { evolveTask } from '../../src/domain/task/evolve-task.ts';
import type { TaskCommand } from '../../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../../src/domain/task/task-state.ts';
import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { sealRecord } from '../../src/log/envelope.ts';
import { emptyHead, type Head } from '../../src/log/head.ts';
import { fetched, image, spec, stored } from '../domain/task-fixtures.ts';
import { Random } from '../simulation/random.ts';

interface Stream {
  readonly id: string;
  readonly owner: string;
  state: TaskState;
  image: ImageState;
}

/** The id of the n-th task of a generated log. */
export function generatedId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/**
 * A log of about `size` records: hundreds of tasks at all stages of their lives, and the images that they made. The same for
 * the same seed.
 */
export function generatedLog(size: number, seed = 1): AcceptedRecord[] {
  const random = new Random(seed);
  const streams: Stream[] = [];
  const heads = new Map<string, Head>();
  const records: AcceptedRecord[] = [];
  const append = (subject: string, event: DomainEvent): void => {
    const head = heads.get(subject) ?? emptyHead;
    const canonical = encodeCanonical(sealRecord(subject, head, event, generatedId(records.length)));
    const hash = hashCanonical(canonical);
    heads.set(subject, { revision: head.revision + 1n, hash });
    records.push(AcceptedRecord.fromCanonical(canonical, { hash, partition: 0, offset: BigInt(records.length + 1) }));
  };
  for (let seconds = 0; records.length < size; seconds += 1) {
    const now = new Date(Date.UTC(2026, 0, 1) + seconds * 1_000);
    if (streams.length === 0 || random.chance(0.15)) {
      streams.push({ id: generatedId(1_000_000 + streams.length), owner: random.pick(['blue', 'red']), state: absentTask, image: absentImage });
    }
    const stream = random.chance(0.5) ? streams.at(-1)! : random.pick(streams);
    const task = decideTask(stream.state, nextCommand(stream, now, random));
    if (task.kind === 'event') {
      stream.state = evolveTask(stream.id, stream.state, task.event);
      append(`tasks/${stream.id}`, task.event);
    }
    if (stream.state.status !== 'committed' && stream.image.status === 'absent') continue;
    const decision = decideImage(stream.image, stream.image.status === 'absent' && stream.state.status === 'committed'
      ? registerImageOf(stream.state)
      : random.pick([
        { type: 'updateImage', properties: { ...image, name: `renamed ${seconds}` }, now },
        { type: 'updateImage', properties: { ...image, tags: [] }, now },
        { type: 'deleteImage', now },
      ] as const));
    if (decision.kind !== 'event') continue;
    stream.image = evolveImage(stream.id, stream.image, decision.event);
    append(`images/${stream.id}`, decision.event);
  }
  return records;
}

function nextCommand({ id, owner, state, image: made }: Stream, now: Date, random: Random): TaskCommand {
  const attempt = state.status === 'absent' ? 0 : state.attempt;
  switch (state.status) {
    case 'absent': {
      const labels = { env: random.pick(['prod', 'test']) };
      return { type: 'createTask', id, owner, spec, labels, ttl: { seconds: 600n, nanos: 0 }, requestId: '', fingerprint: Buffer.from(id), now };
    }
    case 'pending':
      return random.chance(0.1) ? { type: 'requestCancel', now } : { type: 'startAttempt', node: 'n', incarnation: 'n/1', runnerIsDead: false, now };
    case 'running':
      return random.pick<TaskCommand>([
        { type: 'completeStage', found: fetched(attempt), now },
        { type: 'storeImage', stored: { ...stored(attempt), file: `${id}.${attempt}` }, now },
        { type: 'failAttempt', attempt, failure: failure(random.pick(['SOURCE_UNREACHABLE', 'SOURCE_FORBIDDEN'] as const), 'no'), attemptLimit: 3, now },
        { type: 'startAttempt', node: 'n', incarnation: 'n/2', runnerIsDead: true, now },
        { type: 'requestCancel', now },
        { type: 'confirmCancel', attempt, now },
      ]);
    case 'committed':
      return made.status === 'absent' ? { type: 'requestCancel', now } : { type: 'succeedTask', now };
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'expired':
      return { type: 'expireTask', now };
    default:
      return state satisfies never;
  }
}
