import { newTaskId } from '../src/api/task-ids.ts';
import type { DomainEvent } from '../src/domain/decision.ts';
import { registerImageOf } from '../src/domain/image/image-of-task.ts';
import { absentImage, decideImage } from '../src/domain/image/image.ts';
import { decideTask } from '../src/domain/task/decide-task.ts';
import { evolveTask } from '../src/domain/task/evolve-task.ts';
import type { TaskCommand } from '../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../src/domain/task/task-state.ts';
import { encodeCanonical, hashCanonical } from '../src/log/canonical.ts';
import { sealRecord } from '../src/log/envelope.ts';
import { emptyHead, type Head } from '../src/log/head.ts';
import { importRequest } from './rpc.ts';

/** Tasks that are under way at the same time in a log that is replayed. */
const interleaved = 256;

/** The records of `tasks` finished imports, seven each, as they would lie in a log: batches of one step of 256 imports. */
export function* finishedImports(tasks: number): Generator<readonly Buffer[]> {
  for (let done = 0; done < tasks; done += interleaved) {
    const histories = Array.from({ length: Math.min(interleaved, tasks - done) }, history);
    for (let step = 0; histories.some((records) => step < records.length); step += 1) {
      yield histories.flatMap((records) => records.slice(step, step + 1));
    }
  }
}

/** The first record of a new import. */
export function createdImport(): Buffer {
  const now = new Date();
  const id = newTaskId(now);
  const decision = decideTask(absentTask, createImport(id, now));
  if (decision.kind !== 'event') throw new TypeError('the import was not taken');
  return encodeCanonical(sealRecord(`tasks/${id}`, emptyHead, decision.event));
}

function createImport(id: string, now: Date): TaskCommand {
  const { spec, labels } = importRequest('http://127.0.0.1/disk.qcow2');
  if (spec === undefined) throw new TypeError('no spec');
  const ttl = { seconds: 172_800n, nanos: 0 };
  return { type: 'createTask', id, owner: 'default', spec, labels, ttl, requestId: '', fingerprint: Buffer.alloc(32), now };
}

/** The records of one import, from its creation to its success. */
function history(): Buffer[] {
  const now = new Date();
  const id = newTaskId(now);
  const digest = `sha256:${'0'.repeat(64)}`;
  const stage = { duration: { seconds: 0n, nanos: 1 }, digest, virtualSizeBytes: 0n, warnings: [], facts: {} };
  const format = 'DISK_FORMAT_RAW';
  const commands: TaskCommand[] = [
    createImport(id, now),
    { type: 'startAttempt', node: 'bench', incarnation: 'bench', runnerIsDead: false, now },
    { type: 'completeStage', found: { ...stage, attempt: 1, stage: 'fetch', bytes: 65_536n, format }, now },
    { type: 'completeStage', found: { ...stage, attempt: 1, stage: 'inspect', bytes: 0n, format }, now },
    { type: 'storeImage', now, stored: {
      attempt: 1, file: `${id}.1`, digest, sizeBytes: 65_536n, format, virtualSizeBytes: 65_536n, guestDigest: '', warnings: [], image: undefined, provenance: undefined,
    } },
    { type: 'succeedTask', now },
  ];
  const records: Buffer[] = [];
  let state: TaskState = absentTask;
  let head = emptyHead;
  for (const command of commands) {
    const decision = decideTask(state, command);
    if (decision.kind !== 'event') throw new TypeError(`${command.type} was not taken`);
    state = evolveTask(id, state, decision.event);
    head = add(records, `tasks/${id}`, head, decision.event);
    if (state.status !== 'committed') continue;
    const registered = decideImage(absentImage, registerImageOf(state));
    if (registered.kind === 'event') add(records, `images/${id}`, emptyHead, registered.event);
  }
  return records;
}

function add(records: Buffer[], subject: string, head: Head, event: DomainEvent): Head {
  const canonical = encodeCanonical(sealRecord(subject, head, event));
  records.push(canonical);
  return { revision: head.revision + 1n, hash: hashCanonical(canonical) };
}
