import { readFileSync } from 'node:fs';
import type { Projection } from '../../src/projector/projection.ts';

/** Keeps the head of each stream. */
export const heads: Projection = {
  name: 'heads',
  version: 1,
  schema: readFileSync(new URL('schema.sql', import.meta.url), 'utf8'),
  prepare(db) {
    const upsert = db.prepare('INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?)');
    return ({ changes }) => {
      for (const { subject, owner, head } of changes) upsert.run(subject, owner, head.revision, head.hash);
    };
  },
};
