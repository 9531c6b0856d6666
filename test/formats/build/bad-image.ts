import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import type { DiskFormat } from '../../../src/gen/lehr/v1/disk_format.ts';

/** An image that must be refused, by which check, and with which reason. `declared`: unspecified where absent. */
export interface BadImage {
  readonly check: CheckName;
  readonly reason: ReasonName;
  readonly name: string;
  readonly build: () => Buffer;
  readonly declared?: DiskFormat;
}

/** Makes the maker of images that a check refuses. */
export const bad =
  (check: CheckName, reason: ReasonName) =>
  (name: string, build: () => Buffer, declared?: DiskFormat): BadImage => ({ check, reason, name, build, declared });
