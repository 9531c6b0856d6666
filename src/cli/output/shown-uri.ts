/** A URI as the terminal shows it: without query and fragment, which often hold a signature. JSON has all of it. */
export function shownUri(uri: string): string {
  return uri.replace(/[?#].*$/s, '');
}
