import { readdirSync } from 'node:fs';
import path from 'node:path';

import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import type { Ledger } from '../ledger.ts';
import type { ReadLog } from './read-log.ts';

/** What a store holds that it should not, and lacks that it should hold. */
export interface StoreFaults {
  readonly staged: readonly string[];
  readonly strangers: readonly string[];
  readonly missing: readonly string[];
}

/** Compares the store's folder with the images of the log. */
export function storeFaults(storeFolder: string, log: ReadLog): StoreFaults {
  const needed = new Set([...log.values()].flatMap(filesNeededBy));
  const files = readdirSync(path.join(storeFolder, 'images'));
  return {
    staged: readdirSync(path.join(storeFolder, 'staging')),
    strangers: files.filter((file) => !needed.has(file)),
    missing: [...needed].filter((file) => !files.includes(file)),
  };
}

function filesNeededBy(events: readonly Event[]): readonly string[] {
  const [first] = events;
  const isDeleted = events.at(-1)?.payload?.$case === 'imageDeleted';
  return first?.payload?.$case === 'imageRegistered' && !isDeleted ? [first.payload.value.file] : [];
}

/** Nothing stays staged, there is no file without an image and no image without its file. */
export function checkStore(ledger: Ledger, { staged, strangers, missing }: StoreFaults): void {
  if (staged.length > 0) ledger.violate('nothing stays staged', `${staged.length} files`, staged);
  if (strangers.length > 0) ledger.violate('there is no file without an image', `${strangers.length} files`, strangers);
  if (missing.length > 0) ledger.violate('the file of every image is there', `${missing.length} files`, missing);
}
