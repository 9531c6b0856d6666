/** The subject of a task's stream. */
export function taskSubject(id: string): string {
  return `tasks/${id}`;
}

/** The subject of an image's stream. */
export function imageSubject(id: string): string {
  return `images/${id}`;
}

/** What a subject names; undefined where it is none that this service writes. */
export function parseSubject(subject: string): { readonly kind: 'task' | 'image'; readonly id: string } | undefined {
  const match = /^(task|image)s\/([0-9a-f-]{36})$/.exec(subject);
  if (match === null) return undefined;
  return { kind: match[1] === 'task' ? 'task' : 'image', id: match[2] ?? '' };
}
