/** A URL in a message is cut to so many characters. */
const displayLimit = 300;

/** A URL as messages may show it: without user, password, query and fragment, which may hold secrets. */
export function displayUrl(url: URL): string {
  const authority = url.host === '' && url.protocol === 'file:' ? '' : url.host;
  const text = `${url.protocol}//${authority}${url.pathname}`;
  return text.length <= displayLimit ? text : `${text.slice(0, displayLimit)}…`;
}
