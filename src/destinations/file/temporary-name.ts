/** So many bytes of a file's name are kept in the temporary one, which has at most 255 with what is put around it. */
const keptBytes = 180;

/**
 * The name that an attempt writes under, in the folder of the file that it makes: `.<name>.lehr-<task>.<attempt>`. It says whose it is, so
 * that what is left after a crash can be found and removed, and no attempt writes another's.
 */
export function temporaryName(name: string, taskId: string, attempt: number): string {
  return `.${cut(name)}.lehr-${taskId}.${attempt}`;
}

/** The longest beginning of a name, in whole characters, that has at most `keptBytes`. */
function cut(name: string): string {
  if (Buffer.byteLength(name) <= keptBytes) return name;
  const { read } = new TextEncoder().encodeInto(name, new Uint8Array(keptBytes));
  return name.slice(0, read);
}
