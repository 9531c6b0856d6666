import { CommandError } from './command-error.ts';

/** The server reads and writes files only where its operator allows it: a refused file needs a word about that. */
export function explainFile(error: unknown, uri: string, field: 'source_uri' | 'destination_uri'): never {
  const isRefusedFile = error instanceof CommandError && uri.toLowerCase().startsWith('file:') &&
    error.violations.some((violation) => violation.field.endsWith(field));
  const does = field === 'source_uri' ? 'reads' : 'writes';
  throw isRefusedFile
    ? error.withHints(`the server ${does} files only below its file roots: start it with \`lehr serve --file-roots FOLDER\``)
    : error;
}
