import type { Task } from '../../gen/lehr/v1/task.ts';
import type { WatchTasksResponse } from '../../gen/lehr/v1/task_service.ts';
import { escapeText } from './escape-text.ts';
import { formatTime } from './format-time.ts';
import { imageNameOf, isEnded, kindName, reasonName, stateName } from './names.ts';
import { viewTask } from './progress-view.ts';
import { paintState } from './style.ts';
import type { Style } from './style.ts';

/** A message of a watch over many tasks as a line, or as none: progress would drown the changes. */
export function formatTaskLine({ message }: WatchTasksResponse, style: Style): readonly string[] {
  switch (message?.$case) {
    case 'snapshot':
    case 'change':
      return [taskLine(message.value, style)];
    case 'removed':
      return [`${escapeText(message.value.id)}  gone`];
    case 'snapshotEnd':
    case 'progress':
    case 'bookmark':
    case undefined:
      return [];
    default:
      return message satisfies never;
  }
}

function taskLine(task: Task, style: Style): string {
  const state = stateName(task.state).padEnd('SUCCEEDED'.length);
  const detail = isEnded(task.state) ? (task.failure === undefined ? '' : reasonName(task.failure.reason)) : viewTask(task).activity;
  const time = task.updateTime === undefined ? '' : formatTime(task.updateTime);
  const words = [kindName(task.spec), imageNameOf(task), detail].filter((word) => word !== '').map(escapeText);
  return [escapeText(task.id), time.padEnd(24), paintState(style, task.state, escapeText(state)), ...words].join('  ').trimEnd();
}
