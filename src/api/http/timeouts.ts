/** A client sends its headers within this (slow-header attacks hold a connection no longer). */
export const headersTimeoutMs = 20_000;

/** A client sends its whole request within this: 16 MiB at the slowest, over a poor line. */
export const requestTimeoutMs = 120_000;

/** A connection without a request is kept for the next one this long: more than the 60 s of common load balancers. */
export const keepAliveTimeoutMs = 65_000;

/** A download whose reader takes nothing for this long is cut off; one that takes little may go on as long as it likes. */
export const downloadIdleTimeoutMs = 5 * 60_000;

/** Connections that are open at once; a further one is closed. Far above what a service of this kind sees. */
export const maxConnections = 10_000;

/** What calls that were aborted at the end of the grace may take to send their last word. */
export const lastWordMs = 250;
