/** What is waited for in these tests comes within this time, also on a machine that does other things. */
export const patienceMs = 60_000;

/** What `work` gives; rejects, naming what did not come, after `limitMs`. */
export async function within<Result>(limitMs: number, what: string, work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what}: it did not come within ${limitMs / 1_000} s`)), limitMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
