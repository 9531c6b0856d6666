import { checkImageProperties } from '../domain/image/check-properties.ts';
import { checkText } from '../domain/text-rules.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Provenance } from '../gen/lehr/v1/image.ts';
import type { ImageProperties } from '../gen/lehr/v1/task.ts';
import type { DescribedImage } from './described-image.ts';
import { isRegionName } from './parse-regions.ts';

/** An answer that is no description of the image that was asked for; the message says what is wrong with which field. */
export class NoDescriptionError extends Error {
  override readonly name = 'NoDescriptionError';
}

/** The longest address that a provenance tells; those of this service are shorter. */
const addressLimit = 1_024;

/** A format that an image can have. */
type Format = Exclude<DiskFormat, 'DISK_FORMAT_UNSPECIFIED' | 'UNRECOGNIZED'>;

const formats: Readonly<Record<Format, true>> = {
  DISK_FORMAT_RAW: true, DISK_FORMAT_QCOW2: true, DISK_FORMAT_VMDK: true, DISK_FORMAT_VHD: true, DISK_FORMAT_VHDX: true,
  DISK_FORMAT_VDI: true, DISK_FORMAT_ISO: true,
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the answer to GetImage in protobuf's JSON mapping. Fields that this version does not know are passed over. Throws
 * NoDescriptionError.
 */
export function readDescription(answer: unknown, imageId: string): DescribedImage {
  const image = fieldsOf('image', fieldsOf('the answer', answer)['image']);
  const sizeBytes = readCount(image, 'sizeBytes');
  if (sizeBytes > Number.MAX_SAFE_INTEGER) throw new NoDescriptionError('sizeBytes is larger than any image.');
  if (readText(image, 'id') !== imageId) throw new NoDescriptionError('id is that of another image.');
  return {
    id: imageId,
    properties: readProperties(image),
    format: readFormat(image),
    sizeBytes: Number(sizeBytes),
    virtualSizeBytes: readCount(image, 'virtualSizeBytes'),
    digest: readDigest(image, 'digest'),
    guestDigest: image['guestDigest'] === undefined ? '' : readDigest(image, 'guestDigest'),
    provenance: image['provenance'] === undefined ? undefined : readProvenance(fieldsOf('provenance', image['provenance'])),
  };
}

function readProperties(image: Fields): ImageProperties {
  const tags = image['tags'] ?? [];
  const properties = fieldsOf('properties', image['properties'] ?? {});
  if (!Array.isArray(tags) || !tags.every(isText)) throw new NoDescriptionError('tags is no list of texts.');
  if (!Object.values(properties).every(isText)) throw new NoDescriptionError('properties has values that are no texts.');
  const found: ImageProperties = { name: readText(image, 'name'), tags, properties: properties as Record<string, string> };
  const [fault] = checkImageProperties('image', found);
  if (fault !== undefined) throw new NoDescriptionError(`${fault.field} ${fault.description}.`);
  return found;
}

function readFormat(image: Fields): DiskFormat {
  const format = readText(image, 'format');
  if (!isFormat(format)) throw new NoDescriptionError('format is none that this server knows.');
  return format;
}

/** 64-bit numbers come as texts; a server may send small ones as numbers. */
function readCount(image: Fields, name: string): bigint {
  const value = image[name];
  const text = typeof value === 'number' ? String(value) : value;
  if (!isText(text) || !/^[1-9][0-9]{0,18}$/.test(text)) throw new NoDescriptionError(`${name} is no number above zero.`);
  return BigInt(text);
}

function readDigest(image: Fields, name: string): string {
  const digest = readText(image, name);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new NoDescriptionError(`${name} is not "sha256:" and 64 hexadecimal digits.`);
  return digest;
}

function readProvenance(said: Fields): Provenance {
  const address = (name: string): string => checked(name, readText(said, name), addressLimit);
  const region = (name: string): string => {
    const text = readText(said, name);
    if (text !== '' && !isRegionName(text)) throw new NoDescriptionError(`provenance.${name} is no name of a region.`);
    return text;
  };
  const imageId = (name: string): string => checked(name, readText(said, name), 64);
  return {
    sourceUri: address('sourceUri'),
    sourceRegion: region('sourceRegion'),
    sourceImageId: imageId('sourceImageId'),
    originSourceUri: address('originSourceUri'),
    originSourceRegion: region('originSourceRegion'),
    originSourceImageId: imageId('originSourceImageId'),
  };
}

function checked(name: string, text: string, longest: number): string {
  const [fault] = checkText(`provenance.${name}`, text, 0, longest);
  if (fault !== undefined) throw new NoDescriptionError(`${fault.field} ${fault.description}.`);
  return text;
}

/** Empty texts are left out of an answer. */
function readText(fields: Fields, name: string): string {
  const value = fields[name] ?? '';
  if (!isText(value)) throw new NoDescriptionError(`${name} is no text.`);
  return value;
}

function fieldsOf(what: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NoDescriptionError(`${what} is no object.`);
  return value as Fields;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isFormat(text: string): text is Format {
  return Object.hasOwn(formats, text);
}
