import test from 'ava';

import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import { makeFolder, startServer } from '../acceptance/harness/lehr-server.ts';
import { scrape } from '../acceptance/harness/scrape.ts';
import { answers, gives, inTurn, startSource } from '../acceptance/harness/source-server.ts';
import { awaitTask, awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { serveHere } from '../api/serve-here.ts';

test('metrics count what was accepted, how it ended and why, bytes, stages, appends, and what is under way', async (t) => {
  const image = rawDisk(256 * 1024, 1);
  const size = image.bytes.length;
  const source = await startSource(t);
  const { api, httpUrl } = await startServer(t, await makeFolder(t));
  const before = await scrape(httpUrl);
  t.is(before.get('lehr_log_append_seconds_count'), 0);

  const gate = new Gate(image.bytes);
  const held = await createImport(api, source.serve('/held', gate.behaviour));
  await gate.asked;
  t.is((await scrape(httpUrl)).get('lehr_tasks_running'), 1);
  const good = await createImport(api, source.serve('/good', gives(image.bytes)));
  const tired = await createImport(api, source.serve('/tired', inTurn(answers(503), gives(image.bytes))));
  const gone = await createImport(api, source.serve('/gone', answers(404)));
  const page = await createImport(api, source.serve('/page', gives(Buffer.from(`<!DOCTYPE html><html>${'text '.repeat(200)}</html>`))));
  await awaitTasks(api, [good.id, tired.id, gone.id, page.id]);
  const watch = api.watchTasks({});
  await watch.next();
  t.is((await scrape(httpUrl)).get('lehr_watches_open'), 1);
  await watch.return();

  await api.cancelTask({ id: held.id });
  await awaitTask(api, held.id);
  const after = await scrape(httpUrl);
  t.deepEqual(
    Object.fromEntries([...after].filter(([name]) => /^lehr_(tasks_accepted|tasks_finished|attempts_failed|stage_bytes)_total/.test(name))),
    {
      'lehr_tasks_accepted_total{kind="import"}': 5,
      'lehr_tasks_finished_total{kind="import",state="SUCCEEDED",reason=""}': 2,
      'lehr_tasks_finished_total{kind="import",state="FAILED",reason="REASON_SOURCE_NOT_FOUND"}': 1,
      'lehr_tasks_finished_total{kind="import",state="FAILED",reason="REASON_NOT_A_DISK_IMAGE"}': 1,
      'lehr_tasks_finished_total{kind="import",state="CANCELED",reason=""}': 1,
      'lehr_attempts_failed_total{reason="REASON_SOURCE_ERROR"}': 1,
      'lehr_stage_bytes_total{stage="fetch"}': 2 * size,
      'lehr_stage_bytes_total{stage="inspect"}': 0,
    },
  );
  for (const stage of ['fetch', 'inspect']) {
    t.is(after.get(`lehr_stage_seconds_count{stage="${stage}"}`), 2, stage);
    t.true(after.get(`lehr_stage_seconds_sum{stage="${stage}"}`)! > 0, stage);
  }
  const { events } = await api.verifyEvents({});
  t.is(after.get('lehr_log_append_seconds_count'), Number(events), 'each append is timed');
  t.true(after.get('lehr_log_append_seconds_sum')! > 0);
  t.is(after.get('lehr_projection_lag_records'), 0);
  t.true(after.has('lehr_byte_slots_borrowed'));
  t.true(after.get('lehr_process_resident_memory_bytes')! > 0);
});

test('a server that has started again counts from its own start', async (t) => {
  const source = await startSource(t);
  const folder = await makeFolder(t);
  const first = await serveHere(t, folder);
  await awaitTask(first.api, (await createImport(first.api, source.serve('/disk', gives(rawDisk(64 * 1024, 1).bytes)))).id);
  await first.stop();
  const second = await serveHere(t, folder);
  t.deepEqual([...await scrape(second.httpUrl)].filter(([name]) => name.startsWith('lehr_tasks_accepted_total')), []);
});
