import type { ImageRegistered } from '../../gen/lehr/v1/event.ts';
import type { CommittedTask } from '../task/task-state.ts';
import type { ImageCommand } from './image.ts';

/**
 * The command that registers the image of a committed task. It holds nothing but what `ImageStored` holds, its time
 * included, so that every node that finishes the task writes the same record byte for byte (design rule 6).
 */
export function registerImageOf(task: CommittedTask): Extract<ImageCommand, { type: 'registerImage' }> {
  const { file, digest, sizeBytes, format, virtualSizeBytes, guestDigest, warnings, image, provenance } = task.stored;
  const registered: ImageRegistered = {
    taskId: task.id, file, digest, sizeBytes, format, virtualSizeBytes, guestDigest, warnings, image, provenance,
  };
  return { type: 'registerImage', owner: task.owner, registered, now: task.storedTime };
}
