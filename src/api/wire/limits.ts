/**
 * The largest request that a door reads, compressed or not. Requests are specs, labels and tokens; what is larger is a
 * mistake or an attack, and this much is held in memory for each call that sends it.
 */
export const maxRequestBytes = 16 * 1024 * 1024;

/**
 * How long a stream waits for a reader that takes nothing before it is cut off. Long enough for a paused download,
 * short enough that abandoned ones do not pile up.
 */
export const stalledReaderTimeoutMs = 5 * 60 * 1000;
