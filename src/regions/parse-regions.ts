/** Another Lehr, as the setting regions names it. */
export interface Region {
  readonly name: string;
  /** Scheme, host and port, such as `https://lehr.dfw.example:8443`. */
  readonly origin: string;
}

/** The setting has at most so many entries. */
export const regionLimit = 100;

/** A region's name has 1 to so many characters. */
export const regionNameLimit = 63;

const form = 'must be a list of regions such as dfw=http://10.0.0.5:8080,ord=https://lehr.ord.example';

/** Whether a text can be the name of a region. */
export function isRegionName(text: string): boolean {
  return text.length <= regionNameLimit && /^[a-z0-9-]+$/.test(text);
}

/**
 * Reads the setting regions: entries with commas between, each a name of lower-case letters, digits and `-`, an equals sign, and the
 * http or https address of a Lehr, with neither path, query nor user. A name that stands there twice is refused.
 */
export function parseRegions(text: string): readonly Region[] | { readonly problem: string } {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (parts.length > regionLimit) return { problem: `must have at most ${regionLimit} entries` };
  const regions = new Map<string, Region>();
  for (const part of parts) {
    const [, name = '', address = ''] = /^([^=]*)=(.*)$/.exec(part) ?? [];
    if (!isRegionName(name)) return { problem: `${form}: a name has 1 to ${regionNameLimit} characters from a-z, 0-9 and "-"` };
    if (regions.has(name)) return { problem: `must have each name once, and has "${name}" twice` };
    const origin = originOf(address);
    if (origin === undefined) return { problem: `${form}: the address of "${name}" must be http or https, without path, query and user` };
    regions.set(name, { name, origin });
  }
  return [...regions.values()];
}

function originOf(address: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\\\s]+\/?$/.test(address) || !URL.canParse(address)) return undefined;
  return new URL(address).origin;
}
