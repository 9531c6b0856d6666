/**
 * What is accepted but worth telling, by its stable name, with a sentence for a person. The names stand in events and on
 * the image, so they are never renamed or reused; `docs/reference/checks.md` explains each.
 */
export const warningTable = {
  'raw.unrecognised_content': 'The disk holds no partition table, file system or boot record that is known here.',
  'qcow2.bitmaps': 'The image carries dirty bitmaps, which tell which parts of the disk were written.',
  'vmdk.unclean_shutdown': 'The image was not closed cleanly by the program that wrote it last.',
  'vmdk.extent_size': 'The descriptor states another size than the header; the header counts.',
  'iso.size': 'The size is no multiple of 2048 bytes, or a few sectors short of what the volume states.',
} as const satisfies Readonly<Record<string, string>>;

/** The stable name of a warning. */
export type WarningName = keyof typeof warningTable;
