/** The whole address of what was delivered, without query and fragment, which may hold secrets. */
export function locationOf(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
