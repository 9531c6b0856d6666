import type { CloneImage } from '../gen/lehr/v1/task.ts';
import type { Handler } from './handler.ts';
import { cloneHere, type CloneHereDeps } from './clone-here.ts';
import { cloneFromRegion, type CloneFromRegionDeps } from './clone-from-region.ts';

/** What clones work with. */
export interface CloneDeps extends CloneHereDeps, CloneFromRegionDeps {}

/** Clone: within this region by sharing the stored bytes, from another by fetching and proving them. */
export function cloneHandler(deps: CloneDeps): Handler<CloneImage> {
  return (spec, attempt) => (spec.sourceRegion === '' ? cloneHere(deps, spec, attempt) : cloneFromRegion(deps, spec, attempt));
}
