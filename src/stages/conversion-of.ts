import { FailureError, failure } from '../domain/failures.ts';
import type { Compression, DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** A conversion that can be run here. */
export interface Conversion {
  readonly sandbox: Exclude<Sandbox, { kind: 'none' }>;
  /** qemu's names of the formats. */
  readonly sourceDriver: string;
  readonly targetDriver: string;
  /** `-o` and what it takes, and `-c` where the result is compressed. */
  readonly options: readonly string[];
}

/** qemu's name of each format, for reading. */
const drivers: Readonly<Partial<Record<DiskFormat, string>>> = {
  DISK_FORMAT_RAW: 'raw',
  DISK_FORMAT_QCOW2: 'qcow2',
  DISK_FORMAT_VMDK: 'vmdk',
  DISK_FORMAT_VHD: 'vpc',
  DISK_FORMAT_VHDX: 'vhdx',
  DISK_FORMAT_VDI: 'vdi',
  DISK_FORMAT_ISO: 'raw',
};

/** Formats that are made, each in the variant that most programs read. */
const creationOptions: Readonly<Partial<Record<DiskFormat, string>>> = {
  DISK_FORMAT_RAW: '',
  DISK_FORMAT_QCOW2: 'compat=1.1',
  DISK_FORMAT_VMDK: 'subformat=streamOptimized',
  // Without force_size the disk grows to the next size that cylinders, heads and sectors can express.
  DISK_FORMAT_VHD: 'subformat=dynamic,force_size=on',
  DISK_FORMAT_VHDX: 'subformat=dynamic',
  DISK_FORMAT_VDI: '',
};

/** What qemu-img calls the ways to compress a qcow2. A streamOptimized VMDK is compressed by nature, and the others never. */
const compressionTypes: Readonly<Partial<Record<Compression, string>>> = {
  COMPRESSION_ZLIB: 'zlib',
  COMPRESSION_ZSTD: 'zstd',
};

/** Whether a compression is one, and not its absence. */
export function isCompressing(compression: Compression): boolean {
  return compressionTypes[compression] !== undefined;
}

/**
 * Why an image of one format does not become one of another: the target is not made (ISO: its content is files and not a disk), or the
 * machine cannot convert for what is `missing`. Undefined: it does.
 */
export function conversionFault(
  sourceFormat: DiskFormat, targetFormat: DiskFormat, missing: string | undefined,
): Failure | undefined {
  const found = { found: sourceFormat, wanted: targetFormat };
  if (creationOptions[targetFormat] === undefined) {
    return failure('FORMAT_UNSUPPORTED', `Nothing is converted to ${targetFormat}. Choose another format, or keep the image as it came.`, found);
  }
  if (missing === undefined) return undefined;
  const message = `This server cannot convert to ${targetFormat}: ${missing} To keep the image as it came, leave the format out.`;
  return failure('FORMAT_UNSUPPORTED', message, found);
}

/**
 * How to convert between two formats on this machine; a target that is unspecified is qcow2, which alone may be compressed. Throws
 * FailureError with what `conversionFault` says of this machine, and for a compression that the target does not have. Ask it before
 * bytes are fetched in vain.
 */
export function conversionOf(
  sourceFormat: DiskFormat, targetFormat: DiskFormat, sandbox: Sandbox, compression: Compression = 'COMPRESSION_UNSPECIFIED',
): Conversion {
  const target = targetFormat === 'DISK_FORMAT_UNSPECIFIED' ? 'DISK_FORMAT_QCOW2' : targetFormat;
  const sourceDriver = drivers[sourceFormat];
  if (sourceDriver === undefined) throw new Error('A format is found out before a conversion, never by it.');
  const fault = conversionFault(sourceFormat, target, sandbox.kind === 'none' ? sandbox.missing : undefined);
  if (fault !== undefined) throw new FailureError(fault);
  const targetDriver = drivers[target];
  const options = creationOptions[target];
  if (targetDriver === undefined || options === undefined || sandbox.kind === 'none') throw new Error('What cannot be converted was let through.');
  const compressionType = compressionTypes[compression];
  if (compressionType !== undefined && target !== 'DISK_FORMAT_QCOW2') {
    throw new FailureError(failure('FORMAT_UNSUPPORTED', `Only a qcow2 is compressed on request. Leave the compression out for ${target}.`, { found: sourceFormat, wanted: target }));
  }
  return {
    sandbox,
    sourceDriver,
    targetDriver,
    options: compressionType === undefined ? optionsOf(options) : ['-c', ...optionsOf(`${options},compression_type=${compressionType}`)],
  };
}

function optionsOf(options: string): readonly string[] {
  return options === '' ? [] : ['-o', options];
}
