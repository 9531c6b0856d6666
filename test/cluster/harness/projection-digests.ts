import { readdirSync } from 'node:fs';
import path from 'node:path';

import Sqlite from 'better-sqlite3';

import { tableDigests } from '../../simulation/table-digests.ts';

/** SHA-256 of each table of a node's projections, by its name. The node must have stopped. */
export function projectionDigests(dataFolder: string): Readonly<Record<string, string>> {
  const folder = path.join(dataFolder, 'projections');
  const files = readdirSync(folder).filter((file) => file.endsWith('.db'));
  if (files.length !== 1) throw new Error(`${folder} holds ${files.join(', ')}, not one file`);
  const db = new Sqlite(path.join(folder, files[0]!), { readonly: true });
  try {
    return tableDigests(db);
  } finally {
    db.close();
  }
}
