/**
 * What `lehr` exits with. Scripts depend on these numbers: a value never changes its meaning. They stand in
 * `lehr --help` and in docs/reference/cli.md.
 */
export const exitCodes = {
  success: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unavailable: 5,
  canceled: 6,
  internal: 70,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Each exit code in words, in the order in which `lehr --help` lists them. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  success: 'success; with --wait: the task succeeded',
  failed: 'the task failed; verify found faults; a download is not what the image should be; inspect refuses the image',
  usage: 'wrong usage, or an argument that the server does not accept',
  notFound: 'there is no such task, image, event stream or file',
  refused: 'the request is understood and refused, such as a cancel that comes too late',
  unavailable: 'the server cannot be reached, is not available or does not answer in time',
  canceled: 'the task was canceled',
  internal: 'an error inside lehr; please report it',
  interrupted: 'interrupted by Ctrl-C; with --wait the task goes on',
  outputClosed: 'the reader of the output went away, as in `lehr events | head`',
  terminated: 'ended by SIGTERM',
};
