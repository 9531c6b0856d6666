import { checkDestinationUri } from '../../destinations/check-destination-uri.ts';
import type { ExistingImage } from '../../domain/image/image.ts';
import type { ExportImage } from '../../gen/lehr/v1/task.ts';
import { credentialFault } from '../../sources/check-source-credential.ts';
import { isCompressing } from '../../stages/conversion-of.ts';
import { exportFormat, exportPlan } from '../../stages/export-plan.ts';
import type { FieldViolation } from '../api-error.ts';
import type { CreateTaskRules } from './create-task-rules.ts';

const at = 'spec.export_image';

/** Everything that an export shows by itself; empty: accepted so far. */
export function checkExport(spec: ExportImage, rules: CreateTaskRules, owner: string): FieldViolation[] {
  const violations: FieldViolation[] = [];
  const destination = checkDestinationUri(spec.destinationUri, rules);
  if (!destination.ok) violations.push({ field: `${at}.destination_uri`, description: destination.message });
  const format = exportFormat(spec.format);
  if (isCompressing(spec.compression) && format !== 'DISK_FORMAT_QCOW2') {
    const why = format === 'DISK_FORMAT_VMDK' ? 'a streamOptimized VMDK is compressed by nature' : 'only a qcow2 is compressed';
    violations.push({ field: `${at}.compression`, description: `${why}; leave it out, or choose qcow2` });
  }
  const fault = credentialFault(destination, spec.credential, owner, rules.credentials);
  if (fault !== undefined) violations.push({ field: `${at}.credential`, description: fault });
  return violations;
}

/** What an export shows together with its image: whether that can become what is asked for. */
export function checkExportOf(spec: ExportImage, image: ExistingImage, { missingForConversion }: CreateTaskRules): FieldViolation[] {
  const stored = image.registered.format;
  const { format, isConverted } = exportPlan(stored, spec.format, spec.compression);
  if (!isConverted) return [];
  if (format === 'DISK_FORMAT_ISO') {
    return [{ field: `${at}.format`, description: `the image is stored as ${stored}, and nothing is converted to ISO; choose another format` }];
  }
  if (missingForConversion === undefined) return [];
  return [{ field: `${at}.format`, description: `this server converts nothing: ${missingForConversion} Ask for ${stored} without compression: the image as it is stored` }];
}
