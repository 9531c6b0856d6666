import type { Task } from '../../gen/lehr/v1/task.ts';
import { formatBytes } from './format-bytes.ts';
import { formatAge } from './format-time.ts';
import { imageNameOf, kindName, reasonName, stateName } from './names.ts';
import { percentOf } from './progress-view.ts';
import { paintState } from './style.ts';
import type { Style } from './style.ts';
import type { Column } from './table.ts';

/** The columns of `lehr tasks list`. */
export function taskColumns(style: Style, now: Date): readonly Column<Task>[] {
  return [
    { title: 'ID', cell: (task) => task.id },
    { title: 'STATE', cell: (task) => stateName(task.state), paint: (text, task) => paintState(style, task.state, text) },
    { title: 'KIND', cell: (task) => kindName(task.spec) },
    { title: 'NAME', cell: imageNameOf, maxWidth: 32 },
    { title: 'AGE', cell: (task) => (task.createTime === undefined ? '' : formatAge(task.createTime, now)) },
    { title: 'DETAIL', cell: (task) => detailOf(task, now), maxWidth: 48 },
  ];
}

/** The one fact that matters most about a task in its state. */
function detailOf(task: Task, now: Date): string {
  if (task.state === 'STATE_SUCCEEDED') return task.result === undefined ? '' : formatBytes(task.result.sizeBytes);
  if (task.cancelRequested && task.state === 'STATE_RUNNING') return 'stopping';
  if (task.state === 'STATE_RUNNING') return runningDetail(task);
  if (task.failure === undefined) return '';
  const next = task.state === 'STATE_PENDING' && task.retryTime !== undefined ? `, next attempt ${formatAge(task.retryTime, now)}` : '';
  return reasonName(task.failure.reason) + next;
}

function runningDetail({ progress }: Task): string {
  if (progress === undefined) return '';
  const percent = percentOf(progress);
  return percent === undefined ? `${progress.stage} ${formatBytes(progress.bytesDone)}` : `${progress.stage} ${percent}%`;
}
