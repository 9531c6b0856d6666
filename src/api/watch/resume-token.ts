import { createHash } from 'node:crypto';
import { formatPosition, parsePosition, type Position } from '../../log/position.ts';

/** The token that resumes a watch with this filter after `position`, on any server of the deployment. */
export function resumeTokenOf(position: Position, filter: string): string {
  return Buffer.from(`${formatPosition(position)}~${filterMark(filter)}`).toString('base64url');
}

/** What a resume token means: a position, or why it is refused. */
export function parseResumeToken(token: string, filter: string): { readonly position: Position } | { readonly problem: string } {
  const [text = '', mark, ...rest] = Buffer.from(token, 'base64url').toString('latin1').split('~');
  const position = parsePosition(text);
  if (position === undefined || mark === undefined || rest.length > 0) return { problem: 'is no resume token of this service; send one as you got it, or none' };
  if (mark !== filterMark(filter)) return { problem: 'belongs to a watch with another filter; send the same filter, or no token' };
  return { position };
}

function filterMark(filter: string): string {
  return createHash('sha256').update(filter).digest('hex').slice(0, 16);
}
