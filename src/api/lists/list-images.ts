import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { Image } from '../../gen/lehr/v1/image.ts';
import type { FilterField, FilterFields } from './filter-field.ts';
import type { OrderField } from './list-order.ts';
import { parseFilter, type ParsedFilter } from './parse-filter.ts';
import { planList, type ListRequest, type ListResource, type PlannedList } from './plan-list.ts';

const formats = [
  'DISK_FORMAT_RAW', 'DISK_FORMAT_QCOW2', 'DISK_FORMAT_VMDK', 'DISK_FORMAT_VHD', 'DISK_FORMAT_VHDX', 'DISK_FORMAT_VDI', 'DISK_FORMAT_ISO',
] as const satisfies readonly DiskFormat[];

const filterFields: FilterFields<Image> = new Map<string, FilterField<Image>>([
  ['id', { kind: 'text', column: 'id', read: (image) => image.id }],
  ['name', { kind: 'text', column: 'name', read: (image) => image.name }],
  ['format', { kind: 'name', column: 'format', names: formats, read: (image) => image.format }],
  ['owner', { kind: 'text', column: 'owner', read: (image) => image.owner }],
  ['size_bytes', { kind: 'integer', column: 'size_bytes', read: (image) => image.sizeBytes }],
  ['virtual_size_bytes', { kind: 'integer', column: 'virtual_size_bytes', read: (image) => image.virtualSizeBytes }],
  ['digest', { kind: 'text', column: 'digest', read: (image) => image.digest }],
  ['tags', { kind: 'set', column: 'tags', read: (image) => image.tags }],
  ['properties', { kind: 'map', column: 'properties', read: (image) => image.properties }],
  ['create_time', { kind: 'time', column: 'create_time', read: (image) => image.createTime }],
  ['update_time', { kind: 'time', column: 'update_time', read: (image) => image.updateTime }],
]);

const orderFields = new Map<string, OrderField<Image>>([
  ['create_time', { expression: 'create_time', kind: 'integer', read: (image) => BigInt(image.createTime?.getTime() ?? 0) }],
  ['update_time', { expression: 'update_time', kind: 'integer', read: (image) => BigInt(image.updateTime?.getTime() ?? 0) }],
  ['name', { expression: 'name', kind: 'text', read: (image) => image.name }],
  ['size_bytes', { expression: 'size_bytes', kind: 'integer', read: (image) => image.sizeBytes }],
]);

const resource: ListResource<Image> = {
  method: 'lehr.v1.ImageService/ListImages',
  filterFields,
  orderFields,
  // Deleted images have no row.
  listed: 'TRUE',
  idOf: (image) => image.id,
};

/** Plans one page of `owner`'s images over the table `images`. */
export function planImageList(request: ListRequest, owner: string): PlannedList<Image> {
  return planList(resource, request, owner);
}

/** What a filter of images means. It says nothing of whose the images are: the caller's owner is checked besides. */
export function parseImageFilter(filter: string): ParsedFilter<Image> {
  return parseFilter(filter, filterFields);
}
