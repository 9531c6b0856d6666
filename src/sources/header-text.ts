/** The value of a header, several of the same name joined by a comma; undefined where there is none. */
export function headerText(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
