import type { Event, ImageRegistered } from '../../../src/gen/lehr/v1/event.ts';
import type { TaskSpec } from '../../../src/gen/lehr/v1/task.ts';
import type { Ledger } from '../ledger.ts';
import { describeEvents } from './describe-events.ts';
import type { ReadLog } from './read-log.ts';

type Happened = NonNullable<Event['payload']>['$case'];

const endings: readonly Happened[] = ['taskSucceeded', 'taskFailed', 'taskCanceled'];

/** After these an attempt runs: one that starts then takes over from a dead node. */
const running: readonly (Happened | undefined)[] = ['attemptStarted', 'stageCompleted'];

/**
 * Every task that was ever asked for ended exactly once and then at most expired, not before its time; it has one image where it
 * succeeded, unless it is an export, and none where not; the image is what the source gave, or the one that was cloned. `digestOf`: what is
 * behind a source's URL; undefined where no import of it can succeed.
 */
export function checkTasks(ledger: Ledger, log: ReadLog, digestOf: (url: string) => string | undefined): void {
  for (const [subject, events] of log) {
    const [kind, id = ''] = subject.split('/');
    const image = log.get(`images/${id}`) ?? [];
    const broken = (rule: string): void => ledger.violate(rule, subject, [...describeEvents(events), `images/${id}:`, ...describeEvents(image)]);
    if (kind !== 'tasks') {
      if (!log.has(`tasks/${id}`)) broken('every image has its task');
      continue;
    }
    const story = events.flatMap(({ payload }) => (payload === undefined ? [] : [payload.$case]));
    const ends = story.filter((what) => endings.includes(what));
    ledger.count(`task ended ${ends.join(' ')}`);
    ledger.count('attempts', story.filter((what) => what === 'attemptStarted').length);
    ledger.count('attempts taken over', story.filter((what, index) => what === 'attemptStarted' && running.includes(story[index - 1])).length);
    const cause = events.flatMap(({ payload }) => (payload?.$case === 'taskFailed' ? [payload.value.failure] : []))[0];
    if (cause !== undefined) ledger.count(`task failed: ${cause.reason}`);
    if (ends.length !== 1) broken('every task ends once');
    if (!isClosed(story)) broken('nothing follows the end of a task but its expiry');
    if (expiredEarly(events)) broken('nothing expires early');
    const stored = events.flatMap(({ payload }) => (payload?.$case === 'imageStored' ? [payload.value] : []));
    const registered = image.flatMap(({ payload }) => (payload?.$case === 'imageRegistered' ? [payload.value] : []));
    const kindOfTask = specOf(events[0])?.kind;
    const wanted = ends[0] === 'taskSucceeded' && kindOfTask?.$case !== 'exportImage' ? 1 : 0;
    if (stored.length !== wanted || registered.length !== wanted) broken('a task that succeeds has one image, and every other has none');
    if (kindOfTask?.$case === 'importImage') {
      const digest = digestOf(kindOfTask.value.sourceUri);
      if (ends.includes('taskFailed') && digest !== undefined) broken('a task fails only because of its source');
      if (registered.some((made) => made.digest !== digest)) broken('an image is what its source gave');
    } else if (kindOfTask !== undefined) {
      ledger.count(`${kindOfTask.$case} ended ${ends.join(' ')}`);
      const original = registeredIn(log, kindOfTask.value.imageId);
      if (cause !== undefined && cause.reason !== 'REASON_IMAGE_NOT_FOUND') broken('an export or a clone fails only because its image is gone');
      if (registered.some((made) => made.digest !== original?.digest)) broken('a clone has the bytes of its image');
    }
  }
}

/** What a task was asked to do. */
export function specOf(first: Event | undefined): TaskSpec | undefined {
  return first?.payload?.$case === 'taskCreated' ? first.payload.value.spec : undefined;
}

/** What an image was registered with. */
export function registeredIn(log: ReadLog, imageId: string): ImageRegistered | undefined {
  const [first] = log.get(`images/${imageId}`) ?? [];
  return first?.payload?.$case === 'imageRegistered' ? first.payload.value : undefined;
}

function isClosed(story: readonly Happened[]): boolean {
  const end = story.findIndex((what) => endings.includes(what));
  return end === -1 || story.slice(end + 1).every((what, index) => what === 'taskExpired' && index === 0);
}

function expiredEarly(events: readonly Event[]): boolean {
  const due = events.flatMap(({ payload }) => (payload !== undefined && 'expireTime' in payload.value ? [payload.value.expireTime] : []))[0];
  const expired = events.find(({ payload }) => payload?.$case === 'taskExpired');
  return expired?.time !== undefined && due !== undefined && expired.time < due;
}
