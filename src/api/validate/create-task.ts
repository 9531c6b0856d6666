import type { Duration } from '../../gen/google/protobuf/duration.ts';
import type { ImportImage } from '../../gen/lehr/v1/task.ts';
import type { CreateTaskRequest } from '../../gen/lehr/v1/task_service.ts';
import { checkImageProperties } from '../../domain/image/check-properties.ts';
import { checkCount, checkText } from '../../domain/text-rules.ts';
import { credentialFault } from '../../sources/check-source-credential.ts';
import { checkSourceUri } from '../../sources/check-source-uri.ts';
import type { FieldViolation } from '../api-error.ts';
import { checkClone } from './clone-image.ts';
import type { CreateTaskRules } from './create-task-rules.ts';
import { checkExport } from './export-image.ts';

/** A task has at most so many labels. */
export const labelLimit = 64;
/** A label's value has at most so many characters. */
export const labelValueLimit = 255;
/** A request id has at most so many characters. */
export const requestIdLimit = 255;
/** The shortest and the longest time that a task stays listed after it ended, in seconds. */
export const ttlBoundsSeconds = [1n, 315_576_000n] as const;

/** Everything that a request to create a task shows by itself; empty: accepted. Throws for a kind that is not run here. */
export function checkCreateTask(request: CreateTaskRequest, rules: CreateTaskRules, owner: string): FieldViolation[] {
  return [
    ...checkSpec(request, rules, owner),
    ...checkLabels(request.labels),
    ...checkRequestId(request.requestId),
    ...checkTtl(request.ttl),
  ];
}

function checkSpec({ spec }: CreateTaskRequest, rules: CreateTaskRules, owner: string): FieldViolation[] {
  const kind = spec?.kind;
  switch (kind?.$case) {
    case undefined:
      return [{ field: 'spec', description: 'must say what to do: set import_image, export_image or clone_image' }];
    case 'importImage':
      return checkImport(kind.value, rules, owner);
    case 'exportImage':
      return checkExport(kind.value, rules, owner);
    case 'cloneImage':
      return checkClone(kind.value, rules);
    default:
      return kind satisfies never;
  }
}

function checkImport(spec: ImportImage, rules: CreateTaskRules, owner: string): FieldViolation[] {
  const at = 'spec.import_image';
  const violations: FieldViolation[] = [];
  const source = checkSourceUri(spec.sourceUri, rules);
  if (!source.ok) violations.push({ field: `${at}.source_uri`, description: source.message });
  if (spec.expectedDigest !== '' && !/^sha256:[0-9a-fA-F]{64}$/.test(spec.expectedDigest)) {
    violations.push({ field: `${at}.expected_digest`, description: 'must be "sha256:" and 64 hexadecimal digits' });
  }
  const { sourceFormat, storeFormat } = spec;
  if (storeFormat === 'DISK_FORMAT_ISO' && sourceFormat !== 'DISK_FORMAT_ISO' && sourceFormat !== 'DISK_FORMAT_UNSPECIFIED') {
    violations.push({ field: `${at}.store_format`, description: 'nothing is converted to ISO; leave it out to keep the image as it comes, or choose another format' });
  }
  const fault = credentialFault(source, spec.credential, owner, rules.credentials);
  if (fault !== undefined) violations.push({ field: `${at}.credential`, description: fault });
  return [...violations, ...checkImageProperties(`${at}.image`, spec.image ?? { name: '', tags: [], properties: {} })];
}

function checkLabels(labels: Readonly<Record<string, string>>): FieldViolation[] {
  const entries = Object.entries(labels);
  const tooMany = checkCount('labels', entries.length, labelLimit);
  if (tooMany.length > 0) return tooMany;
  return entries.flatMap(([key, value]) => {
    if (!/^[a-z0-9_.-]{1,63}$/.test(key)) {
      return [{ field: 'labels', description: `the key "${key.slice(0, 63)}" must have 1 to 63 characters from a-z, 0-9, "_", "-" and "."` }];
    }
    return checkText(`labels["${key}"]`, value, 0, labelValueLimit);
  });
}

function checkRequestId(requestId: string): FieldViolation[] {
  if (requestId.length <= requestIdLimit && /^[\x20-\x7e]*$/.test(requestId)) return [];
  return [{ field: 'request_id', description: `must have at most ${requestIdLimit} printable ASCII characters` }];
}

function checkTtl(ttl: Duration | undefined): FieldViolation[] {
  const [shortest, longest] = ttlBoundsSeconds;
  if (ttl === undefined || (ttl.seconds >= shortest && ttl.seconds <= longest && ttl.nanos >= 0 && ttl.nanos < 1e9)) return [];
  return [{ field: 'ttl', description: `must be from ${shortest}s to ${longest}s (10 years)` }];
}
