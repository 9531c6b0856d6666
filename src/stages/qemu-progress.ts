/** A line of progress is 17 characters long. */
const longestLine = 64;

/**
 * Reads the output of `qemu-img convert -p`, `    (12.34/100%)` with a carriage return behind it, and tells how much of
 * `totalBytes` is done, each time that it has grown. Give it the output as it comes.
 */
export function progressReader(totalBytes: number, tell: (bytesDone: number) => void): (text: string) => void {
  let rest = '';
  let doneBytes = 0;
  return (text) => {
    const lines = (rest + text).split(/[\r\n]/);
    rest = lines.pop()?.slice(-longestLine) ?? '';
    for (const line of lines) {
      const percent = Number(/^\s*\((\d{1,3}\.\d{1,6})\/100%\)$/.exec(line)?.[1] ?? NaN);
      const bytes = Math.floor(totalBytes * Math.min(percent, 100) / 100);
      if (!(bytes > doneBytes)) continue;
      doneBytes = bytes;
      tell(bytes);
    }
  };
}
