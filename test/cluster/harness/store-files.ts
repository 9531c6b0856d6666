import { readdirSync } from 'node:fs';
import path from 'node:path';

import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';

/** What the shared folder of images holds. */
export interface StoreFiles {
  readonly staging: readonly string[];
  readonly images: readonly string[];
}

/** The files of these tasks in the store, once nothing is staged for them: a node clears up after it has told of the end. */
export function settledFiles({ storeFolder }: Cluster, taskIds: readonly string[]): Promise<StoreFiles> {
  const files = (folder: string): string[] =>
    readdirSync(path.join(storeFolder, folder)).filter((file) => taskIds.includes(file.slice(0, file.indexOf('.')))).toSorted();
  return eventually('nothing is staged', async () => ({
    staging: files('staging'),
    images: files('images'),
  }), ({ staging }) => staging.length === 0);
}
