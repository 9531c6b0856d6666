import type { ImageProperties } from '../../gen/lehr/v1/task.ts';
import { checkCount, checkText, type FieldFault } from '../text-rules.ts';

/** An image's name has at most so many characters. */
export const nameLimit = 255;
/** An image has at most so many tags, of at most `nameLimit` characters each. */
export const tagLimit = 64;
/** An image has at most so many properties, with keys of at most `nameLimit` characters. */
export const propertyLimit = 128;
/** A property's value has at most so many characters. */
export const propertyValueLimit = 4_096;

/** Faults of what an image is described by; `field` is the path of the message. */
export function checkImageProperties(field: string, { name, tags, properties }: ImageProperties): FieldFault[] {
  const entries = Object.entries(properties);
  const faults = [
    ...checkText(`${field}.name`, name, 0, nameLimit),
    ...checkCount(`${field}.tags`, tags.length, tagLimit),
    ...checkCount(`${field}.properties`, entries.length, propertyLimit),
  ];
  if (faults.length > 0) return faults;
  const seen = new Set<string>();
  tags.forEach((tag, index) => {
    faults.push(...checkText(`${field}.tags[${index}]`, tag, 1, nameLimit));
    if (seen.has(tag)) faults.push({ field: `${field}.tags[${index}]`, description: 'stands there twice' });
    seen.add(tag);
  });
  for (const [key, value] of entries) {
    const keyFaults = checkText(`${field}.properties key`, key, 1, nameLimit);
    faults.push(...keyFaults);
    if (keyFaults.length === 0) faults.push(...checkText(`${field}.properties["${key}"]`, value, 0, propertyValueLimit));
  }
  return faults;
}
