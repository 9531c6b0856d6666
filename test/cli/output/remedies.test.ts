import { readFileSync } from 'node:fs';

import test from 'ava';

import { remedyFor } from '../../../src/cli/output/remedies.ts';
import { Reason } from '../../../src/gen/lehr/v1/failure.ts';

const proto = readFileSync(new URL('../../../proto/lehr/v1/failure.proto', import.meta.url), 'utf8');

/** The remedy that stands in the comment above each reason. */
function documentedRemedies(): Record<string, string> {
  const reasons = [...proto.matchAll(/((?:^ +\/\/.*\n)+) +(REASON_\w+) = \d+;/gm)];
  return Object.fromEntries(reasons.map(([, comment = '', name = '']) => {
    const text = comment.replace(/\s*\/\/ /g, ' ');
    const remedy = /Remedy: (.*?)\.? (?:Not r|R)etryable/.exec(text)?.[1] ?? '';
    return [name, remedy === '' ? '' : `${remedy.slice(0, 1).toUpperCase()}${remedy.slice(1)}.`];
  }));
}

test('of a check that refused an image its name leads on', (t) => {
  const remedy = (check: string): string => remedyFor('REASON_IMAGE_UNSAFE', check);
  t.is(remedy('qcow2.backing_file'), 'Do what the message says; the reference of checks explains qcow2.backing_file.');
  t.is(remedyFor('REASON_SOURCE_NOT_FOUND', ''), 'Check the path.');
});

test('what the command line says to do is what the contract documents', (t) => {
  const reasons = Object.values(Reason).filter((reason) => reason !== 'UNRECOGNIZED');
  t.deepEqual(Object.fromEntries(reasons.map((reason) => [reason, remedyFor(reason)])), documentedRemedies());
});
