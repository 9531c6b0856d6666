import type { CreateTaskRequest } from '../../../src/gen/lehr/v1/task_service.ts';
import type { Part } from '../../acceptance/harness/part.ts';
import { exportTo } from '../../acceptance/harness/exports.ts';
import { importFrom } from '../../acceptance/harness/tasks.ts';
import type { PlannedExport } from './plan-follow-up.ts';

/** What the owner of a task asks for. */
export interface Wanted {
  /** Names it: the same for the same request. */
  readonly content: string;
  readonly request: Part<CreateTaskRequest>;
  /** Something else, to be refused under the same request id. */
  readonly other: Omit<Wanted, 'other'>;
}

/** An import from a URL. */
export function wantedImport(url: string): Wanted {
  const other = `${url}?other`;
  return { content: url, request: importFrom(url), other: { content: other, request: importFrom(other) } };
}

/** An export to a file that nothing else is exported to. */
export function wantedExport(imageId: string, url: string, { format, compression }: PlannedExport): Wanted {
  const request = (destinationUri: string): Part<CreateTaskRequest> => exportTo(imageId, destinationUri, { format, compression });
  return { content: url, request: request(url), other: { content: `${url}.other`, request: request(`${url}.other`) } };
}

/** A clone of an image of the same region. */
export function wantedClone(imageId: string): Wanted {
  const request = (name: string): Part<CreateTaskRequest> =>
    ({ spec: { kind: { $case: 'cloneImage', value: { imageId, sourceRegion: '', image: { name, tags: [], properties: {} } } } } });
  return { content: imageId, request: request(''), other: { content: `${imageId} other`, request: request('other') } };
}
