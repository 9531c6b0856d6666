import type { Compression, DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { Reason } from '../../gen/lehr/v1/failure.ts';
import type { Task, TaskSpec, Task_State } from '../../gen/lehr/v1/task.ts';

/** `qcow2` for DISK_FORMAT_QCOW2; empty for none. */
export function formatName(format: DiskFormat): string {
  return format === 'DISK_FORMAT_UNSPECIFIED' ? '' : format.replace('DISK_FORMAT_', '').toLowerCase();
}

/** `zstd` for COMPRESSION_ZSTD; empty for none that was named. */
export function compressionName(compression: Compression): string {
  return compression === 'COMPRESSION_UNSPECIFIED' ? '' : compression.replace('COMPRESSION_', '').toLowerCase();
}

/** `RUNNING` for STATE_RUNNING. */
export function stateName(state: Task_State): string {
  return state.replace('STATE_', '');
}

/** `SOURCE_NOT_FOUND` for REASON_SOURCE_NOT_FOUND. */
export function reasonName(reason: Reason): string {
  return reason.replace('REASON_', '');
}

/** `import`, `export` or `clone`; empty for a kind that this version does not know. */
export function kindName(spec: TaskSpec | undefined): string {
  const kind = spec?.kind;
  switch (kind?.$case) {
    case 'importImage':
      return 'import';
    case 'exportImage':
      return 'export';
    case 'cloneImage':
      return 'clone';
    case undefined:
      return '';
    default:
      return kind satisfies never;
  }
}

/** The name that the task's image has or will have; for an export, and a clone that is given none, the id of the image. */
export function imageNameOf(task: Task): string {
  const kind = task.spec?.kind;
  if (kind?.$case === 'exportImage') return kind.value.imageId;
  const name = kind?.value.image?.name ?? '';
  return name === '' && kind?.$case === 'cloneImage' ? kind.value.imageId : name;
}

/** Whether a task in this state changes no more. */
export function isEnded(state: Task_State): boolean {
  return state === 'STATE_SUCCEEDED' || state === 'STATE_FAILED' || state === 'STATE_CANCELED' || state === 'STATE_EXPIRED';
}
