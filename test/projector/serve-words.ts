/** Answers each word on stdin with one line of JSON on stdout, until stdin ends. */
export async function serveWords(commands: Readonly<Record<string, () => Promise<unknown>>>): Promise<void> {
  // Only with a listener of its own does Node leave the signal of a bounded file to the write that fails.
  process.on('SIGXFSZ', () => undefined);
  process.stdout.write('"ready"\n');
  for await (const lines of process.stdin.setEncoding('utf8')) {
    for (const word of String(lines).trim().split('\n')) process.stdout.write(`${JSON.stringify(await commands[word]?.())}\n`);
  }
}
