import type { TaskSpec } from '../../gen/lehr/v1/task.ts';

/** The kinds of task. */
export type TaskKind = 'import' | 'export' | 'clone';

/** The kind of task that a spec asks for. A spec that was accepted has one; `import` stands in where it has none. */
export function kindOfSpec(spec: TaskSpec): TaskKind {
  switch (spec.kind?.$case) {
    case 'exportImage':
      return 'export';
    case 'cloneImage':
      return 'clone';
    case 'importImage':
    case undefined:
      return 'import';
    default:
      return spec.kind satisfies never;
  }
}
