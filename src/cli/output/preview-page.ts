import type { ImportPreview, ImportPreview_Depth } from '../../gen/lehr/v1/task_service.ts';
import { formatBytesFully } from './format-bytes.ts';
import { formatFields, formatPairs } from './format-fields.ts';
import { formatName } from './names.ts';
import { failureFields } from './task-page.ts';

const depths: Readonly<Record<ImportPreview_Depth, string>> = {
  DEPTH_UNSPECIFIED: '',
  DEPTH_HEAD: 'its first bytes',
  DEPTH_HEADERS: 'its headers',
  DEPTH_TABLES: 'its headers, its tables and the beginning of the guest\'s disk',
  UNRECOGNIZED: '',
};

/** What `lehr import --validate-only` prints: what an import would find. */
export function previewLines(preview: ImportPreview | undefined): readonly string[] {
  if (preview === undefined) return ['valid: the server would accept this import'];
  const { failure, format, sizeBytes, virtualSizeBytes, warnings, facts, depth } = preview;
  const size = (bytes: bigint): string => (bytes === 0n ? '' : formatBytesFully(bytes));
  return [
    failure === undefined ? 'valid: the server would accept this import, and nothing was found that speaks against it' : 'the server would accept this import, and it would fail',
    ...formatFields([
      ...(failure === undefined ? [] : failureFields(failure)),
      ['format', formatName(format)],
      ['size', size(sizeBytes)],
      ['disk size', size(virtualSizeBytes)],
      ['warnings', warnings],
      ['facts', formatPairs(facts)],
      ['judged', depths[depth]],
    ]),
  ];
}
