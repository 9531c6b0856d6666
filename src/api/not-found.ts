import { ApiError, invalidArgument } from './api-error.ts';

/** A request without the id that it needs. */
export function requireId(id: string, field = 'id'): void {
  if (id === '') throw invalidArgument([{ field, description: 'is required' }]);
}

/** Also the answer for what belongs to somebody else (design rule 11). The id is cut, since it may be anything. */
export function taskNotFound(id: string): ApiError {
  return new ApiError('NOT_FOUND', 'TASK_NOT_FOUND', `There is no task ${id.slice(0, 64)}.`);
}

export function taskExpired(id: string): ApiError {
  const message = `Task ${id} has expired. Its events can still be read: ListEvents with subject tasks/${id}.`;
  return new ApiError('NOT_FOUND', 'TASK_EXPIRED', message);
}

export function imageNotFound(id: string): ApiError {
  return new ApiError('NOT_FOUND', 'IMAGE_NOT_FOUND', `There is no image ${id.slice(0, 64)}.`);
}
