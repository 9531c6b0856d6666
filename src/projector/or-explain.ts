/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** What `open` returns; where it throws, an error that `explain` makes of the problem for the operator. */
export function orExplain<T>(open: () => T, explain: (problem: string) => string): T {
  try {
    return open();
  } catch (cause) {
    throw new Error(explain(messageOf(cause)), { cause });
  }
}
