import { decoderMemoryLimitBytes } from '../codecs/piece.ts';

/**
 * The size of a slot, the unit in which received bytes travel to a pool thread. Large enough that a message per slot costs
 * little beside hashing and writing it; small enough that hashing finds most of it in the processor's cache.
 */
export const slotBytes = 256 * 1024;

/** Slots per pool thread. With `slotBytes` this bounds the memory that all transfers together hold: 4 MiB per thread. */
export const slotsPerThread = 16;

/**
 * After so many new bytes a file is flushed while it is still being received, so that the flush at its end is short and
 * commits of the log do not queue behind a gigabyte.
 */
export const flushEveryBytes = 32 * 1024 * 1024;

/** After so many new bytes it is noted how far a file has become durable while it is still being received. */
export const checkpointEveryBytes = 64 * 1024 * 1024;

/**
 * Early flushes that one pool thread has under way at once. They run on libuv's threads, which serve the whole process;
 * a file that finds no room is flushed later.
 */
export const earlyFlushesPerThread = 1;

/** A pool thread frees the slots it is done with at least each time it has handled so many bytes. */
export const replyEveryBytes = 256 * 1024;

/** How often in a row a pool thread may die without having finished anything before its replacement is not started. */
export const threadDeathLimit = 5;

/**
 * What the decoders of one pool thread may hold together beside their pieces, outside the heap. The largest decoder takes
 * all of it; a hundred of gzip take a few MiB.
 */
export const decoderBytesPerThread = decoderMemoryLimitBytes;

/** The most memory that the JavaScript objects of a pool thread may take; a hostile image ends the thread, not the process. */
export const threadHeapMiB = 256;

/** Of that, what young objects may take. A pool thread makes few objects, and V8 would let them spread over three times 16 MiB. */
export const threadYoungHeapMiB = 8;
