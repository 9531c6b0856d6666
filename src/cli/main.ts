import { exitCodes } from './exit-codes.ts';
import { runCli } from './run-cli.ts';

/** A reader that has enough, such as `head`, closes the pipe; that is no error, and nobody is left to be told. */
function endWhenOutputCloses(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.outputClosed);
}

process.stdout.on('error', endWhenOutputCloses);
process.stderr.on('error', endWhenOutputCloses);
const args = process.argv.slice(2);
process.exitCode = await runCli(args, process);
// A server that died inside may leave sockets open; whoever supervises it waits for the process to end.
if (args[0] === 'serve') process.exit();
