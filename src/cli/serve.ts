/**
 * Hands `lehr serve ARGS` over to the server, which reads its own settings; returns its exit code. Loaded only when asked
 * for, so that the client's commands never load a database.
 */
export async function serveCommand(args: readonly string[]): Promise<number> {
  const { serve, serveHelp } = await import('../serve.ts');
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(serveHelp());
    return 0;
  }
  return serve(args);
}
