import type { SourceInspection } from '../../inspect-source.ts';
import { formatBytesFully } from './format-bytes.ts';
import { formatFields, formatPairs } from './format-fields.ts';
import type { Field } from './format-fields.ts';
import { formatName, reasonName } from './names.ts';
import type { Style } from './style.ts';
import { formatTable } from './table.ts';

/** An inspection that came to an answer. */
type Found = Exclude<SourceInspection, { kind: 'unread' }>;

const depths = {
  headers: 'headers; the tables would have taken too many reads',
  tables: 'headers and tables',
  content: 'headers, tables and the beginning of the guest\'s disk',
  guest: 'everything',
} as const;

/** What `lehr inspect` prints for a person: the verdict, the facts, and every check that concerns the image. */
export function inspectionLines(source: string, found: Found, style: Style): readonly string[] {
  if (found.kind === 'head') {
    return formatFields([
      ['source', source],
      ['verdict', 'nothing speaks against its first bytes, which is all that could be judged'],
      ['size', found.sizeBytes === 0 ? '' : formatBytesFully(BigInt(found.sizeBytes))],
      ['facts', formatPairs(found.facts)],
    ]);
  }
  const { checks } = found;
  const columns = [
    { title: 'CHECK', cell: ({ name }: (typeof checks)[number]) => name },
    { title: 'RESULT', cell: ({ result }: (typeof checks)[number]) => result, paint: (text: string, { result }: (typeof checks)[number]) => (result === 'failed' ? style.bad(text) : text) },
  ];
  return [...formatFields([['source', source], ...verdictFields(found)]), '', ...formatTable(columns, checks, false)];
}

function verdictFields({ verdict, sizeBytes, depth, wrapper }: Extract<Found, { kind: 'judged' }>): readonly Field[] {
  const size: Field = ['size', sizeBytes === 0 ? '' : formatBytesFully(BigInt(sizeBytes))];
  if (verdict.kind === 'refused') {
    const { reason, message, metadata } = verdict.failure;
    return [['verdict', `refused: ${reasonName(reason)}`], ['message', message], ['details', formatPairs(metadata)], size];
  }
  return [
    ['verdict', 'accepted'],
    ['wrapped in', wrapper],
    ['format', formatName(verdict.format)],
    size,
    ['disk size', formatBytesFully(verdict.virtualSizeBytes)],
    ['guest digest', verdict.guestDigest],
    ['warnings', verdict.warnings],
    ['facts', formatPairs(verdict.facts)],
    ['judged', depths[depth]],
  ];
}

/** The same as one object, for `--json`. */
export function inspectionJson(source: string, found: Found): object {
  if (found.kind === 'head') return { source, verdict: 'undecided', depth: 'head', sizeBytes: BigInt(found.sizeBytes), facts: found.facts };
  const { verdict, depth, checks, sizeBytes, wrapper } = found;
  const head = { source, verdict: verdict.kind, depth, sizeBytes: BigInt(sizeBytes), wrapper };
  if (verdict.kind === 'refused') return { ...head, failure: verdict.failure, checks };
  const { format, virtualSizeBytes, guestDigest, warnings, facts } = verdict;
  return { ...head, format, virtualSizeBytes, guestDigest, warnings, facts, checks };
}
