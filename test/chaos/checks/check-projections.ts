import { readdirSync } from 'node:fs';
import path from 'node:path';

import Sqlite from 'better-sqlite3';

import { tableDigests } from '../../simulation/table-digests.ts';
import type { Ledger } from '../ledger.ts';

/** A node that was stopped, and its data folder. */
export interface StoppedNode {
  readonly name: string;
  readonly folder: string;
}

/** What all nodes have folded from the log is the same, table by table, the place that they have read up to included. */
export function checkProjections(ledger: Ledger, nodes: readonly StoppedNode[]): void {
  const [first, ...others] = nodes.map(({ name, folder }) => ({ name, digests: digestsOf(folder) }));
  if (first === undefined) return;
  ledger.count('tables compared', Object.keys(first.digests).length * others.length);
  for (const { name, digests } of others) {
    for (const table of new Set([...Object.keys(first.digests), ...Object.keys(digests)])) {
      if (first.digests[table] === digests[table]) continue;
      ledger.violate('the projections of all nodes are equal', `table ${table} of ${first.name} and ${name}`);
    }
  }
}

function digestsOf(folder: string): Readonly<Record<string, string>> {
  const projections = path.join(folder, 'projections');
  const files = readdirSync(projections).filter((name) => name.endsWith('.db'));
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`${projections} holds ${files.length} databases`);
  const db = new Sqlite(path.join(projections, file), { readonly: true });
  try {
    return tableDigests(db);
  } finally {
    db.close();
  }
}
