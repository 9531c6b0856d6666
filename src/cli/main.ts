import { exitCodes } from './exit-codes.ts';
import { runCli } from './run-cli.ts';

/** A reader that has enough, such as `head`, closes the pipe; that is no error, and nobody is left to be told. */
function endWhenOutputCloses(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.outputClosed);
}

process.stdout.on('error', endWhenOutputCloses);
process.stderr.on('error', endWhenOutputCloses);
process.exitCode = await runCli(process.argv.slice(2), process);
