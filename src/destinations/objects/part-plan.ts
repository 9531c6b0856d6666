/** How an artefact is cut for an object store. */
export interface PartBounds {
  /** What is not larger is sent as one object in one request. */
  readonly wholeLimitBytes: number;
  /** The usual size of a part; the last one may be smaller, and all are larger where there would be too many. */
  readonly partBytes: number;
  /** At most so many parts. */
  readonly partLimit: number;
}

/**
 * A part that breaks off is sent again from its beginning, hence not larger than a minute's worth on a slow line. 1,000 parts are
 * what Swift takes in a manifest (max_manifest_segments) and through s3api (max_upload_part_num); Amazon takes 10,000.
 */
export const partBounds: PartBounds = { wholeLimitBytes: 64 * 2 ** 20, partBytes: 64 * 2 ** 20, partLimit: 1_000 };

/** One part of an artefact. */
export interface Part {
  /** 1, 2, 3 … */
  readonly number: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A part that arrived. */
export interface SentPart extends Part {
  /** Of the bytes that were sent. */
  readonly md5: string;
  /** As the store names the part. */
  readonly etag: string;
}

/** Cuts an artefact of that size, the same way each time. */
export function planParts(sizeBytes: number, { partBytes, partLimit }: PartBounds): readonly Part[] {
  const unit = 2 ** 20;
  const size = Math.max(partBytes, Math.ceil(sizeBytes / partLimit / unit) * unit * (sizeBytes > partBytes * partLimit ? 1 : 0));
  const count = Math.ceil(sizeBytes / size);
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    offset: index * size,
    sizeBytes: Math.min(size, sizeBytes - index * size),
  }));
}

/** Tells how far a delivery is, in bytes of this part and those before it, while the bytes of the part are taken. */
export function counted({ offset }: Part, progress: (bytesDone: number) => void): (count: number) => void {
  let done = offset;
  return (count) => progress(done += count);
}
