import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { Refused } from '../../acceptance/harness/refused.ts';
import { Owner, type OwnerDeps } from './owner.ts';
import type { FollowUp } from './plan-follow-up.ts';
import { wantedClone, wantedExport } from './wanted.ts';

/** An image is waited for so often, with a pause of so long between: most imports end within seconds, and some never. */
const looks = 25;
const lookEveryMs = 400;

/** What is done with images is done with these. */
export interface FollowUpDeps extends OwnerDeps {
  /** Everything is exported to this folder. */
  readonly exportsFolder: string;
}

/** Waits for an image, if there will be one, and then has it exported or cloned, and deleted meanwhile where that is planned. */
export async function followUp(deps: FollowUpDeps, imageId: string, plan: FollowUp): Promise<void> {
  if (!await imageExists(deps, imageId)) return;
  const { kind, requestId, deleteImageAfterMs } = plan;
  const url = pathToFileURL(path.join(deps.exportsFolder, requestId)).href;
  const wanted = kind.$case === 'export' ? wantedExport(imageId, url, kind.value) : wantedClone(imageId);
  const deleted = async (): Promise<void> => {
    if (deleteImageAfterMs === undefined) return;
    await sleep(deleteImageAfterMs);
    // Where the answer is lost the image may be there or not.
    await anyDoor(deps)?.api.deleteImage({ id: imageId }).catch(orThrow);
  };
  await Promise.all([new Owner(deps, plan, wanted).run(), deleted()]);
}

async function imageExists(deps: OwnerDeps, id: string): Promise<boolean> {
  for (let look = 0; look < looks; look += 1) {
    const found = await anyDoor(deps)?.api.getImage({ id }).catch(orThrow);
    if (found !== undefined) return true;
    await sleep(lookEveryMs);
  }
  return false;
}

function anyDoor({ doors }: OwnerDeps): ReturnType<OwnerDeps['doors']>[number] | undefined {
  return doors()[0];
}

function orThrow(error: unknown): undefined {
  if (!(error instanceof Refused)) throw error;
  return undefined;
}
