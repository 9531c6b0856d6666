import type { Compression, DiskFormat } from '../../../src/gen/lehr/v1/disk_format.ts';
import type { Random } from '../../simulation/random.ts';
import { planCalls, type PlannedCalls } from './plan-task.ts';

/** How an image is exported. */
export interface PlannedExport {
  readonly format: DiskFormat;
  readonly compression: Compression;
}

/** What is done with an image once it exists. */
export interface FollowUp extends PlannedCalls {
  readonly kind: { readonly $case: 'export'; readonly value: PlannedExport } | { readonly $case: 'clone' };
  /** Counts from the create of this task; undefined: the image stays. */
  readonly deleteImageAfterMs: number | undefined;
}

const exports: readonly PlannedExport[] = [
  { format: 'DISK_FORMAT_UNSPECIFIED', compression: 'COMPRESSION_UNSPECIFIED' },
  { format: 'DISK_FORMAT_QCOW2', compression: 'COMPRESSION_ZSTD' },
  { format: 'DISK_FORMAT_RAW', compression: 'COMPRESSION_UNSPECIFIED' },
  { format: 'DISK_FORMAT_VMDK', compression: 'COMPRESSION_UNSPECIFIED' },
];

/** Draws what follows on an import: mostly nothing. */
export function planFollowUps(random: Random, importRequestId: string): readonly FollowUp[] {
  const follow = (share: number, name: string, kind: FollowUp['kind']): readonly FollowUp[] => (random.chance(share)
    ? [{ ...planCalls(random, `${importRequestId}-${name}`), kind, deleteImageAfterMs: random.chance(0.15) ? random.between(0, 1_000) : undefined }]
    : []);
  return [
    ...follow(0.35, 'export', { $case: 'export', value: random.pick(exports) }),
    ...follow(0.25, 'clone', { $case: 'clone' }),
  ];
}
