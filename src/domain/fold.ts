import type { DomainEvent } from './decision.ts';
import { absentImage, evolveImage, type ImagePayload, type ImageState } from './image/image.ts';
import { parseSubject } from './subject.ts';
import { evolveTask } from './task/evolve-task.ts';
import type { TaskPayload } from './task/task-command.ts';
import { absentTask, type TaskState } from './task/task-state.ts';

/** The fold of one stream, whichever kind it is. */
export type StreamState =
  | { readonly kind: 'task'; readonly id: string; readonly state: TaskState }
  | { readonly kind: 'image'; readonly id: string; readonly state: ImageState };

/** The stream of a subject before its first event; undefined where the subject is none that this version knows. */
export function emptyStream(subject: string): StreamState | undefined {
  const parsed = parseSubject(subject);
  if (parsed === undefined) return undefined;
  const { kind, id } = parsed;
  return kind === 'task' ? { kind, id, state: absentTask } : { kind, id, state: absentImage };
}

/** The stream after `event`. Throws where the event cannot follow, or belongs to the other kind of stream. */
export function evolveStream(stream: StreamState, event: DomainEvent): StreamState {
  const { kind, id } = stream;
  if (kind === 'task' && isTaskEvent(event)) return { kind, id, state: evolveTask(id, stream.state, event) };
  if (kind === 'image' && isImageEvent(event)) return { kind, id, state: evolveImage(id, stream.state, event) };
  throw new Error(`event ${event.payload.$case} cannot be on the stream of an ${kind === 'task' ? 'task' : 'image'}`);
}

function isImageEvent(event: DomainEvent): event is DomainEvent<ImagePayload> {
  const { $case } = event.payload;
  return $case === 'imageRegistered' || $case === 'imageUpdated' || $case === 'imageDeleted';
}

function isTaskEvent(event: DomainEvent): event is DomainEvent<TaskPayload> {
  return !isImageEvent(event);
}
