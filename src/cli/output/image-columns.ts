import type { Image } from '../../gen/lehr/v1/image.ts';
import { formatBytes, formatBytesFully } from './format-bytes.ts';
import { formatPairs } from './format-fields.ts';
import type { Field } from './format-fields.ts';
import { formatAge, formatTimeFully } from './format-time.ts';
import { formatName } from './names.ts';
import { provenanceFields } from './provenance-fields.ts';
import type { Column } from './table.ts';

/** The columns of `lehr images list`. */
export function imageColumns(now: Date): readonly Column<Image>[] {
  return [
    { title: 'ID', cell: (image) => image.id },
    { title: 'NAME', cell: (image) => image.name, maxWidth: 32 },
    { title: 'FORMAT', cell: (image) => formatName(image.format) },
    { title: 'SIZE', cell: (image) => formatBytes(image.sizeBytes), isRight: true },
    { title: 'DISK', cell: (image) => formatBytes(image.virtualSizeBytes), isRight: true },
    { title: 'AGE', cell: (image) => (image.createTime === undefined ? '' : formatAge(image.createTime, now)) },
    { title: 'TAGS', cell: (image) => image.tags.join(', '), maxWidth: 32 },
  ];
}

/** Everything about an image, for `lehr images show`. */
export function imageFields(image: Image, now: Date): readonly Field[] {
  const time = (value: Date | undefined): string | undefined => (value === undefined ? undefined : formatTimeFully(value, now));
  return [
    ['image', image.id],
    ['name', image.name],
    ['format', formatName(image.format)],
    ['size', formatBytesFully(image.sizeBytes)],
    ['disk size', formatBytesFully(image.virtualSizeBytes)],
    ['digest', image.digest],
    ['guest digest', image.guestDigest],
    ...provenanceFields(image.provenance),
    ['tags', image.tags.join(', ')],
    ['properties', formatPairs(image.properties)],
    ['warnings', image.warnings],
    ['owner', image.owner],
    ['task', image.taskId],
    ['revision', String(image.revision)],
    ['created', time(image.createTime)],
    ['updated', time(image.updateTime)],
  ];
}
