/** What differs from run to run, and what stands for it. In this order. */
const volatile: readonly (readonly [pattern: RegExp, stand: string])[] = [
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID'],
  [/\b[0-9a-f]{64}\b/g, 'HASH'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT/g, 'DATE'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT'],
  [/file:\/\/\/\S+\//g, 'file:///FOLDER/'],
  [/(?:\/[\w.-]+)+\/(?=lehr-demo-|[\w.-]+\.(?:qcow2|vmdk|raw|db|html)\b)/g, 'FOLDER/'],
  [/lehr-demo-\w+/g, 'lehr-demo-XXXXXX'],
  [/made by .+(?=, served at)/g, 'made by SOMEBODY'],
  [/\bin [\d.]+ ?m?s\b/g, 'in SECONDS'],
  [/\b(?:now|\d+[smhd] ago)/g, 'AGE'],
  [/[\d.]+ (?:bytes|KiB|MiB|GiB)/g, 'SIZE'],
  [/(attempt \d+ on) [\w.-]+/g, '$1 NODE'],
  [/size_bytes=\d+/g, 'size_bytes=N'],
  [/^(\w+) \d+ (?=sha256:)/g, '$1 N '],
  [/-{3,}/g, '---'],
  [/ {2,}/g, ' '],
];

/** Lines about progress: how many there are is a matter of speed. */
const progressLine = /^(?:waiting to start|running|fetch|decompress|inspect|convert|store)(?:: .*)?$/;

/** A transcript without what differs from run to run: two runs of the same commands have the same shape. */
export function shapeOf(transcript: string): readonly string[] {
  return transcript.split('\n')
    .filter((line) => line.trim() !== '' && !progressLine.test(line))
    .map((line) => volatile.reduce((text, [pattern, stand]) => text.replace(pattern, stand), line).trim());
}
