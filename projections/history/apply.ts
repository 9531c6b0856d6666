import { readFileSync } from 'node:fs';
import type { Projection } from '../../src/projector/projection.ts';
import { placeOf } from './place.ts';

/** Keeps every record by its place, and by stream and revision. */
export const history: Projection = {
  name: 'history',
  version: 2,
  schema: readFileSync(new URL('schema.sql', import.meta.url), 'utf8'),
  prepare(db) {
    const insert = db.prepare('INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?)');
    return ({ records }) => {
      for (const { subject, revision, partition, offset, canonical, hash } of records) {
        insert.run(placeOf(partition, offset), subject, revision, canonical, hash);
      }
    };
  },
};
