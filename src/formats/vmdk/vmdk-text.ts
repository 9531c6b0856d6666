import { latin1 } from '../reading/fields.ts';

/** At most so many bytes are searched for the version line; real descriptors have it in the first hundred. */
const searchBytes = 64 * 1024;

/**
 * Whether the content is a bare VMDK descriptor, which names the files that hold the data. qemu takes for one whatever
 * has, after comments and blank lines, a line `version=1` to `version=3`; the usual first line suffices here too.
 */
export function isVmdkText(head: Uint8Array): boolean {
  const text = latin1(head.subarray(0, searchBytes));
  if (/^\s*# Disk DescriptorFile/i.test(text)) return true;
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    return /^version\s*=\s*[1-3]\s*$/i.test(trimmed.split('\0', 1)[0] ?? '');
  }
  return false;
}
