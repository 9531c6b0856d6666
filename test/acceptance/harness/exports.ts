import type { CreateTaskRequest } from '../../../src/gen/lehr/v1/task_service.ts';
import type { ExportImage, Task } from '../../../src/gen/lehr/v1/task.ts';
import type { Api } from './api.ts';
import type { Part } from './part.ts';

/** The request to export an image to `destinationUri`. */
export function exportTo(imageId: string, destinationUri: string, spec: Part<ExportImage> = {}): Part<CreateTaskRequest> {
  return { spec: { kind: { $case: 'exportImage', value: { imageId, destinationUri, ...spec } } } };
}

/** Has an export accepted, and gives its task. */
export async function createExport(api: Api, imageId: string, destinationUri: string, spec: Part<ExportImage> = {}): Promise<Task> {
  const { task } = await api.createTask(exportTo(imageId, destinationUri, spec));
  if (task === undefined) throw new Error('a create was answered without a task');
  return task;
}
