import { isDeepStrictEqual } from 'node:util';
import type { Database } from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import { imageSubject, taskSubject } from '../../src/domain/subject.ts';
import { decodeCanonical } from '../../src/log/canonical.ts';
import { openRecord } from '../../src/log/envelope.ts';
import { ChainVerifier } from '../../src/log/verify-chain.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import { Projector } from '../../src/projector/projector.ts';
import type { Promises } from './owner.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimLog } from './sim-log.ts';
import { tableDigests } from './table-digests.ts';
import type { World } from './world.ts';

/** Everything that must hold once all tasks have expired and one sweep has run. */
export function checkEnd(world: World, log: SimLog, disk: SimDisk, databases: readonly Database[], owners: readonly Promises[]): void {
  checkChain(world, log);
  checkImages(world, log);
  checkFiles(world, log, disk);
  checkExports(world, log, disk);
  checkProjections(world, log, databases);
  for (const promises of owners) checkPromises(world, log, promises);
}

function checkChain(world: World, log: SimLog): void {
  const verifier = new ChainVerifier();
  for (const records of log.partitions) {
    for (const record of records) {
      const fault = verifier.check(record);
      if (fault !== undefined) world.violate('the chain verifies', `${fault.subject} at ${fault.partition}-${fault.offset}: ${fault.message}`);
    }
  }
}

/** At most one image for each task, exactly where it succeeded, holding what the task stored, and before its success. */
function checkImages(world: World, log: SimLog): void {
  const registered = new Set<string>();
  for (const record of log.partitions.flat()) {
    const { headers, value } = decodeCanonical(record.canonical);
    const payload = openRecord({ headers, value })?.payload;
    const id = headers.ce_subject.slice(headers.ce_subject.indexOf('/') + 1);
    if (payload?.$case === 'imageRegistered') {
      if (registered.has(id)) world.violate('a task makes at most one image', id);
      registered.add(id);
    }
    const isOwnResult = payload?.$case === 'taskSucceeded' && payload.value.result?.imageId === id;
    if (isOwnResult && !registered.has(id)) world.violate('an image is registered before its task succeeds', id);
    if (payload?.$case === 'imageStored') {
      const image = log.streams.get(imageSubject(id))?.state;
      const found = image !== undefined && 'registered' in image ? { ...image.registered, createTime: image.createTime.toISOString() } : undefined;
      const { attempt: _, ...stored } = payload.value;
      const expected = { ...stored, taskId: id, createTime: headers.ce_time };
      if (found === undefined) world.violate('a task that stored an image has one', id);
      else if (!isDeepStrictEqual(found, expected)) world.violate('an image is what its task stored', id);
    }
  }
  for (const { kind, id, state } of log.streams.values()) {
    if (kind !== 'task' || state.status !== 'expired') continue;
    const isExport = state.spec.kind?.$case === 'exportImage';
    if (registered.has(id) !== (state.last === 'succeeded' && !isExport)) {
      world.violate('a task that ends canceled or failed has no image, nor has an export, and every other has one', `${id} ended ${state.last}`);
    }
  }
}

/** Every live image has its file, complete, and there is no other file. */
function checkFiles(world: World, log: SimLog, disk: SimDisk): void {
  const needed = [...log.streams.values()].flatMap(({ kind, state }) => (kind === 'image' && state.status === 'live' ? [state.registered.file] : []));
  for (const file of needed) {
    if (disk.images.get(file) !== true) world.violate('the file of every image is there and complete', file);
  }
  for (const file of disk.images.keys()) {
    if (!needed.includes(file)) world.violate('there is no file without an image', file);
  }
  if (disk.staged.size > 0) world.violate('nothing stays staged', [...disk.staged.keys()].join(' '));
}

/** What an export that succeeded has delivered lies there, and what lies anywhere else is what was to be delivered there. */
function checkExports(world: World, log: SimLog, disk: SimDisk): void {
  const left = new Map(disk.exported);
  for (const record of log.partitions.flat()) {
    const payload = openRecord(decodeCanonical(record.canonical))?.payload;
    const result = payload?.$case === 'taskSucceeded' ? payload.value.result : undefined;
    if (result === undefined || result.location === '') continue;
    world.count('export delivered');
    if (left.get(result.location) !== result.digest) world.violate('what an export has delivered lies there', result.location);
    left.delete(result.location);
  }
  for (const { kind, state } of log.streams.values()) {
    const spec = kind === 'task' && state.status !== 'absent' ? state.spec.kind : undefined;
    if (spec?.$case !== 'exportImage' || !left.has(spec.value.destinationUri)) continue;
    // Its node died between the delivery and the end of the task, which was canceled then or gave up.
    world.count('export left by a dead attempt');
    left.delete(spec.value.destinationUri);
  }
  if (left.size > 0) world.violate('nothing is delivered where nobody wanted it', [...left.keys()].join(' '));
}

/** What each node has folded, in its own batches and order of partitions, equals one fold of the whole log. */
function checkProjections(world: World, log: SimLog, databases: readonly Database[]): void {
  const fresh = openProjections(':memory:', projections);
  new Projector(fresh, projections, { stageTimeoutMs: world.plan.stageTimeoutMs }).apply(log.partitions.flat());
  const expected = tableDigests(fresh);
  fresh.close();
  for (const db of databases) {
    const found = tableDigests(db);
    for (const [table, digest] of Object.entries(expected)) {
      if (found[table] !== digest) world.violate('projections equal a fold of the log', `table ${table}`);
    }
  }
}

/** Nothing that was acknowledged is lost. */
function checkPromises(world: World, log: SimLog, { taskId, created, canceled, committed, deleted }: Promises): void {
  const task = log.streams.get(taskSubject(taskId))?.state;
  const image = log.streams.get(imageSubject(taskId))?.state;
  const last = task?.status === 'expired' ? task.last : undefined;
  const broken = (promise: string): void => world.violate('nothing that was acknowledged is lost', `${taskId}: ${promise}, but it ended ${String(last)}`);
  if (created && task === undefined) broken('created');
  if (canceled && last !== 'canceled') broken('cancel acknowledged');
  if (committed && last !== 'succeeded') broken('cancel refused as too late');
  if (deleted && image?.status !== 'deleted') broken('image deleted');
}
