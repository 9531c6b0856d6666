import type { StagedPart } from '../image-store.ts';

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const uuidPattern = new RegExp(`^${uuid}$`);
const filePattern = new RegExp(`^${uuid}\\.[1-9][0-9]{0,9}$`);
const stagedPattern = new RegExp(`^${uuid}\\.[1-9][0-9]{0,9}(?:\\.(?:decoded|converted|borrowed|synced|synced-new))?$`);

/** Whether a text is a lower-case UUID, and so may name a folder. */
export function isTaskId(text: string): boolean {
  return uuidPattern.test(text);
}

/** Whether a text is the name of a stored file: `<uuid>.<attempt>`. */
export function isStoredFileName(text: string): boolean {
  return filePattern.test(text);
}

/** The task that a staged file belongs to; undefined where a name is no `<uuid>.<attempt>` with or without a part behind it. */
export function taskOfStagedFile(name: string): string | undefined {
  return stagedPattern.test(name) ? name.slice(0, name.indexOf('.')) : undefined;
}

/** The attempt that a staged file belongs to, of a name that has a task. */
export function attemptOfStagedFile(name: string): number {
  return Number(name.split('.')[1]);
}

/** The name of the file in which this attempt's image is stored. Throws for anything that is no such id or attempt. */
export function storedFileName(taskId: string, attempt: number): string {
  const name = `${taskId}.${attempt}`;
  if (!isStoredFileName(name)) throw new RangeError('A stored file is named by a lower-case UUID and an attempt from 1 on.');
  return name;
}

/** The name of a file that this attempt fills: what was fetched is named as it will be in its place. */
export function stagedFileName(taskId: string, attempt: number, part: StagedPart): string {
  const name = storedFileName(taskId, attempt);
  return part === 'fetched' ? name : `${name}.${part}`;
}

/** The name of the note beside what an attempt has fetched, and that of the one that will replace it. */
export function noteFileNames(taskId: string, attempt: number): { readonly note: string; readonly next: string } {
  const name = storedFileName(taskId, attempt);
  return { note: `${name}.synced`, next: `${name}.synced-new` };
}
