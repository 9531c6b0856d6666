/** What `work` comes to, or an error where that takes longer than `limitMs`; the work itself goes on, unheard. */
export async function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => { late.reject(new Error(`no answer within ${limitMs} ms`)); }, limitMs);
  // Where the limit comes first nobody else hears how the work failed.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
