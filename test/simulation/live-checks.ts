import type { StreamState } from '../../src/domain/fold.ts';
import type { TaskState } from '../../src/domain/task/task-state.ts';
import { decodeCanonical } from '../../src/log/canonical.ts';
import { openRecord } from '../../src/log/envelope.ts';
import type { AcceptedRecord } from '../../src/log/accepted-record.ts';
import type { SimLog } from './sim-log.ts';
import type { World } from './world.ts';

/** What must hold of every event at the moment at which the log accepts it. */
export function checkAccepted(world: World, log: SimLog, record: AcceptedRecord, before: StreamState, after: StreamState): void {
  if (before.kind === 'task' && after.kind === 'task') return checkTask(world, record, before.state, after.state);
  const task = log.streams.get(`tasks/${after.id}`)?.state.status;
  const isRegistration = before.state.status === 'absent';
  if (isRegistration && task !== 'committed') world.violate('an image is registered only for a committed task', `${after.id} is ${String(task)}`);
}

/** What clones must hold to, watched from the first event on. */
export class CloneChecks {
  readonly #world: World;
  readonly #log: SimLog;
  /** Images that were there when the newest attempt to clone them began, by the clone's task. */
  readonly #thereAtStart = new Set<string>();

  constructor(world: World, log: SimLog) {
    this.#world = world;
    this.#log = log;
  }

  onAccepted({ canonical }: AcceptedRecord, { kind, state }: StreamState): void {
    const payload = openRecord(decodeCanonical(canonical))?.payload;
    if (kind !== 'task' || state.status === 'absent' || payload === undefined || state.spec.kind?.$case !== 'cloneImage') return;
    const original = this.#log.streams.get(`images/${state.spec.kind.value.imageId}`)?.state;
    const isThere = original?.status === 'live';
    if (payload.$case === 'attemptStarted') {
      if (isThere) this.#thereAtStart.add(state.id);
      else this.#thereAtStart.delete(state.id);
    } else if (payload.$case === 'imageStored') {
      this.#world.count(isThere ? 'clone stored' : 'clone stored of an image that was deleted meanwhile');
      const stored = original !== undefined && 'registered' in original ? original.registered : undefined;
      if (stored?.digest !== payload.value.digest || stored.file === payload.value.file) {
        this.#world.violate('a clone has the bytes of its original under a name of its own', state.id);
      }
    } else if (payload.$case === 'taskFailed' && payload.value.failure?.reason === 'REASON_IMAGE_NOT_FOUND') {
      this.#world.count('clone of nothing');
      if (isThere && this.#thereAtStart.has(state.id)) this.#world.violate('no image is missed that is there', state.id);
    }
  }
}

const ended: readonly TaskState['status'][] = ['succeeded', 'failed', 'canceled', 'expired'];

function checkTask(world: World, { canonical }: AcceptedRecord, before: TaskState, after: TaskState): void {
  const event = openRecord(decodeCanonical(canonical));
  if (event === undefined || after.status === 'absent') return;
  if (ended.includes(before.status) && after.status !== 'expired') {
    world.violate('terminal states stay', `${after.id}: ${event.payload.$case} after ${before.status}`);
  }
  if (before.status === 'running' && after.status === 'running' && after.attempt > before.attempt) world.count('take-over');
  if (event.payload.$case === 'taskExpired' && 'expireTime' in before && event.time < before.expireTime) {
    world.violate('nothing expires early', `${after.id}: ${event.time.toISOString()} before ${before.expireTime.toISOString()}`);
  }
  if (event.payload.$case === 'attemptStarted' && before.status === 'pending' && before.retryTime !== undefined && event.time < before.retryTime) {
    world.violate('no attempt starts before its retry time', after.id);
  }
  if (after.failedAttempts > world.plan.attemptLimit || after.lostAttempts >= 20) {
    world.violate('attempts respect their limits', `${after.id}: ${after.failedAttempts} failed, ${after.lostAttempts} lost`);
  }
}
