const units = ['KB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** A size for a person: exact below 10,000 bytes (`1200 bytes`), else in decimal units (`41 KB`, `3.2 GB`). */
export function sizeText(sizeBytes: number | bigint): string {
  if (sizeBytes < 10_000) return sizeBytes.toString() === '1' ? '1 byte' : `${sizeBytes.toString()} bytes`;
  let value = Number(sizeBytes);
  let unit = 'bytes';
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 9.95 ? value.toFixed(1).replace('.0', '') : Math.floor(value).toString()} ${unit}`;
}
