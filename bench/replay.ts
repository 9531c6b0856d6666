import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LogTable } from '../src/log/sqlite/log-table.ts';
import { openStorage } from '../src/projector/storage.ts';
import { finishedImports } from './finished-imports.ts';
import type { Figure } from './report.ts';

const tasks = 40_000;

/** A log of finished imports, replayed into empty projections. */
export async function* benchReplay(folder: string): AsyncGenerator<Figure> {
  const data = join(folder, 'replay');
  mkdirSync(data);
  const log = new LogTable(join(data, 'log.db'));
  for (const batch of finishedImports(tasks)) log.append(batch);
  const events = log.end;
  log.close();
  const started = performance.now();
  const storage = await openStorage(data, { stageTimeoutMs: 86_400_000 }, (cause) => { throw cause; });
  await storage.ready;
  const seconds = (performance.now() - started) / 1_000;
  await storage.close();
  yield { name: `replay of ${events.toLocaleString('en')} events into empty projections`, value: events / seconds, unit: 'events/s', versus: '', ratio: undefined };
}
