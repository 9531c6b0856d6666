import { basename } from 'node:path';
import { checkSourceUri } from '../sources/check-source-uri.ts';
import type { CheckedSourceUri, SourceRules } from '../sources/check-source-uri.ts';
import { asDestinationText } from './destination-text.ts';

/** What a destination URI shows by itself; see `CheckedSourceUri`. */
export type CheckedDestinationUri = CheckedSourceUri;

/** A file's name has at most so many bytes (NAME_MAX). */
const nameLimitBytes = 255;

/**
 * Checks what a destination URI shows without asking the network or the disk. Destinations are judged by the very code that judges
 * sources, and so by the same settings: what may be read from may be written to.
 */
export function checkDestinationUri(uri: string, rules: SourceRules): CheckedDestinationUri {
  const checked = checkSourceUri(uri, rules);
  if (!checked.ok) return { ok: false, message: asDestinationText(checked.message) };
  switch (checked.kind) {
    case 'http':
      if (checked.url.pathname.endsWith('/')) return refuse('The destination URI ends with a slash; name the object that is to be made.');
      return checked;
    case 'file':
      if (checked.url.pathname.endsWith('/')) return refuse('The destination URI names a folder; name the file that is to be made.');
      if (Buffer.byteLength(basename(checked.path)) > nameLimitBytes) return refuse(`The file's name has more than ${nameLimitBytes} bytes.`);
      return checked;
    case 'object':
      return checked;
    default:
      return checked satisfies never;
  }
}

function refuse(message: string): CheckedDestinationUri {
  return { ok: false, message };
}
