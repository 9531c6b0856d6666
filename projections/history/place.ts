/** A partition holds at most so many records: at 10,000 a second that is 27 years. */
const offsetLimit = 2 ** 43;

/** A log has at most so many partitions. */
const partitionLimit = 1_024;

/** After every place. */
export const endOfPlaces = partitionLimit * offsetLimit;

/**
 * The place of a record as one number, ascending by partition and then by offset: partition × 2^43 + offset. The largest
 * one, of partition 1,023 and offset 2^43 − 1, is the largest safe integer. Throws RangeError beyond the bounds.
 */
export function placeOf(partition: number, offset: number): number {
  if (offset >= offsetLimit || partition >= partitionLimit) {
    throw new RangeError(`position ${partition}-${offset} is beyond the bounds: ${partitionLimit} partitions of 2^43 records each`);
  }
  return partition * offsetLimit + offset;
}

/** Where a place lies. */
export function partitionOfPlace(place: number): number {
  return Math.floor(place / offsetLimit);
}

/** Which record of its partition a place is. */
export function offsetOfPlace(place: number): number {
  return place % offsetLimit;
}

/** The first place of a partition after `offset`, however large that is; at most the first one of the next partition. */
export function placeAfter(partition: number, offset: bigint): number {
  return Math.min(partition * offsetLimit + Number(offset) + 1, endOfPartition(partition));
}

/** After the last place of a partition. */
export function endOfPartition(partition: number): number {
  return (partition + 1) * offsetLimit;
}
