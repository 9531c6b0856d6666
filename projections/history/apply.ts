import { readFileSync } from 'node:fs';
import type { Projection } from '../../src/projector/projection.ts';

/** Keeps every record by stream and revision. */
export const history: Projection = {
  name: 'history',
  version: 1,
  schema: readFileSync(new URL('schema.sql', import.meta.url), 'utf8'),
  prepare(db) {
    const insert = db.prepare('INSERT OR IGNORE INTO history VALUES (?, ?, ?, ?, ?, ?)');
    return ({ records }) => {
      for (const { record: { headers }, canonical, partition, offset, hash } of records) {
        insert.run(headers.ce_subject, Number(headers.ce_sequence), partition, Number(offset), canonical, hash);
      }
    };
  },
};
