const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** A number of bytes for people, rounded to a tenth: `512 B`, `1.2 GiB`. */
export function formatBytes(bytes: bigint): string {
  let unit = 0;
  let scale = 1n;
  let tenths = bytes * 10n;
  while (tenths >= 10_240n && unit < UNITS.length - 1) {
    unit += 1;
    scale *= 1024n;
    tenths = (bytes * 10n + scale / 2n) / scale;
  }
  return unit === 0 ? `${bytes} B` : `${tenths / 10n}.${tenths % 10n} ${UNITS[unit]}`;
}

/** The same with the exact number, for where there is room: `1.2 GiB (1288490188 bytes)`. */
export function formatBytesFully(bytes: bigint): string {
  return bytes < 1024n ? formatBytes(bytes) : `${formatBytes(bytes)} (${bytes} bytes)`;
}
