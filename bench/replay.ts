import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCanonical, hashCanonical } from '../src/log/canonical.ts';
import { sealRecord } from '../src/log/envelope.ts';
import { emptyHead, type Head } from '../src/log/head.ts';
import { LogTable } from '../src/log/sqlite/log-table.ts';
import { registerImageOf } from '../src/domain/image/image-of-task.ts';
import { decideImage, absentImage } from '../src/domain/image/image.ts';
import type { DomainEvent } from '../src/domain/decision.ts';
import { decideTask } from '../src/domain/task/decide-task.ts';
import { evolveTask } from '../src/domain/task/evolve-task.ts';
import type { TaskCommand } from '../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../src/domain/task/task-state.ts';
import { newTaskId } from '../src/api/task-ids.ts';
import { openStorage } from '../src/projector/storage.ts';
import type { Figure } from './report.ts';
import { importRequest } from './rpc.ts';

const tasks = 40_000;
/** Tasks that are under way at the same time in the log that is replayed. */
const interleaved = 256;

/** A log of finished imports, replayed into empty projections. */
export async function* benchReplay(folder: string): AsyncGenerator<Figure> {
  const data = join(folder, 'replay');
  mkdirSync(data);
  const log = new LogTable(join(data, 'log.db'));
  for (let done = 0; done < tasks; done += interleaved) {
    const histories = Array.from({ length: interleaved }, history);
    for (let step = 0; histories.some((records) => step < records.length); step += 1) {
      log.append(histories.flatMap((records) => records.slice(step, step + 1)));
    }
  }
  const events = log.end;
  log.close();
  const started = performance.now();
  const storage = await openStorage(data, { stageTimeoutMs: 86_400_000 }, (cause) => { throw cause; });
  await storage.ready;
  const seconds = (performance.now() - started) / 1_000;
  await storage.close();
  yield { name: `replay of ${events.toLocaleString('en')} events into empty projections`, value: events / seconds, unit: 'events/s', versus: '', ratio: undefined };
}

/** The records of one import, from its creation to its success. */
function history(): Buffer[] {
  const now = new Date();
  const id = newTaskId(now);
  const { spec, labels } = importRequest('http://127.0.0.1/disk.qcow2');
  if (spec === undefined) throw new TypeError('no spec');
  const digest = `sha256:${'0'.repeat(64)}`;
  const stage = { duration: { seconds: 0n, nanos: 1 }, digest, virtualSizeBytes: 0n, warnings: [], facts: {} };
  const format = 'DISK_FORMAT_RAW';
  const commands: TaskCommand[] = [
    { type: 'createTask', id, owner: 'default', spec, labels, ttl: { seconds: 172_800n, nanos: 0 }, requestId: '', fingerprint: Buffer.alloc(32), now },
    { type: 'startAttempt', node: 'bench', incarnation: 'bench', runnerIsDead: false, now },
    { type: 'completeStage', found: { ...stage, attempt: 1, stage: 'fetch', bytes: 65_536n, format }, now },
    { type: 'completeStage', found: { ...stage, attempt: 1, stage: 'inspect', bytes: 0n, format }, now },
    { type: 'storeImage', now, stored: {
      attempt: 1, file: `${id}.1`, digest, sizeBytes: 65_536n, format, virtualSizeBytes: 65_536n, guestDigest: '', warnings: [], image: undefined,
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
