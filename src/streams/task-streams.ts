import { taskSubject } from '../domain/subject.ts';
import { decideTask } from '../domain/task/decide-task.ts';
import { evolveTask } from '../domain/task/evolve-task.ts';
import type { TaskCommand, TaskPayload } from '../domain/task/task-command.ts';
import { absentTask, type TaskState } from '../domain/task/task-state.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ReadSide } from './read-side.ts';
import { Streams } from './streams.ts';

/** The streams of tasks. */
export type TaskStreams = Streams<TaskState, TaskCommand, TaskPayload>;

export function taskStreams(log: EventLog, readSide: ReadSide): TaskStreams {
  return new Streams<TaskState, TaskCommand, TaskPayload>(
    {
      subjectOf: taskSubject,
      stateOf: (stream) => (stream?.kind === 'task' ? stream.state : absentTask),
      decide: decideTask,
      evolve: evolveTask,
    },
    log,
    readSide,
  );
}
