import test from 'ava';
import { registerImageOf } from '../../src/domain/image/image-of-task.ts';
import { findImageIn } from '../../src/streams/find-image.ts';
import { imageStreams } from '../../src/streams/image-streams.ts';
import { at, create, start, store, taskAfter, taskId } from '../domain/task-fixtures.ts';
import { ScriptedLog } from './scripted-log.ts';

const committed = taskAfter(create(0), start(1), store(2, 1));
if (committed.status !== 'committed') throw new Error('the task is not committed');
const { owner } = committed;
const register = registerImageOf(committed);

test('an image is found by its owner without a look at the end of the log', async (t) => {
  const log = new ScriptedLog();
  const images = imageStreams(log, log.readSide);
  await images.execute(taskId, register);
  log.ends = 0;
  t.like(await findImageIn(images)(taskId, owner), { id: taskId, status: 'live' });
  t.is(log.ends, 0);
});

test('an image is not denied before this node has caught up with the log', async (t) => {
  const log = new ScriptedLog();
  log.following = false;
  await imageStreams(log, log.readSide).execute(taskId, register);
  const finding = findImageIn(imageStreams(log, log.readSide))(taskId, owner);
  const early = await Promise.race([finding, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
  t.is(early, 'waits');
  log.following = true;
  log.follow();
  t.like(await finding, { id: taskId });
});

test('what is deleted, of somebody else, or no id is not found', async (t) => {
  const log = new ScriptedLog();
  const images = imageStreams(log, log.readSide);
  await images.execute(taskId, register);
  const find = findImageIn(images);
  t.is(await find(taskId, 'somebody-else'), undefined);
  t.is(await find(taskId.toUpperCase(), owner), undefined);
  t.is(await find('x'.repeat(100_000), owner), undefined);
  await images.execute(taskId, { type: 'deleteImage', now: at(20) });
  t.is(await find(taskId, owner), undefined);
});
