import { randomBytes } from 'node:crypto';

/**
 * A name for a topic that no other test uses, `test.` and 16 hexadecimal digits. With its dot it is like the name that the
 * product uses, from which the names of streams and subjects are made.
 */
export function uniqueTopic(): string {
  return `test.${randomBytes(8).toString('hex')}`;
}
