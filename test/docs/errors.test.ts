import { readdirSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { isRetryableReason } from '../../src/domain/failures.ts';
import { commentText, tableUnder, textOf } from './tables.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = textOf('docs/reference/errors.md');

const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('gen/'))
  .map((name) => ({ name, text: textOf(path.join('src', name)) }));

const cells = (heading: string): readonly (readonly string[])[] => tableUnder(page, heading);
const bare = (cell = ''): string => cell.replaceAll('`', '');

/** `REASON code` for each pair that stands in the source. */
const thrown = new Set([
  ...sources.flatMap(({ text }) => [...text.matchAll(/new ApiError\(\s*'([A-Z_]+)',\s*'([A-Z_]+)'/g)].map(([, code, reason]) => `${reason} ${code}`)),
  // What grpc-js finds by itself (explain-statuses.ts).
  ...sources.flatMap(({ text }) => [...text.matchAll(/\]: \['([A-Z_]+)', '([A-Z_]+)'\]/g)].map(([, code, reason]) => `${reason} ${code}`)),
]);

/** Every refusal that the domain knows. */
const [, union = ''] = /export type RefusalReason =([^;]*);/.exec(textOf('src/domain/decision.ts')) ?? [];
const refusals = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, reason = '']) => reason);

/** Refusals that reach a caller without standing in a `new ApiError`. */
const passedOn: Readonly<Record<string, string>> = {
  TASK_ENDED: 'FAILED_PRECONDITION', TASK_COMMITTED: 'FAILED_PRECONDITION', REQUEST_ID_REUSED: 'ALREADY_EXISTS',
};

test('every reason that a call can be refused with has a row, with its codes, and no row is left over', (t) => {
  const documented = cells('Refused calls').flatMap(([reason, codes = '']) => codes.split(', ').map((code) => `${bare(reason)} ${bare(code)}`));
  const expected = [...thrown, ...Object.entries(passedOn).map(([reason, code]) => `${reason} ${code}`)];
  t.true(expected.length > 20);
  t.deepEqual(documented.toSorted(), [...new Set(expected)].toSorted());
});

test('every refusal of the domain is documented, as one that callers see or as one that they do not', (t) => {
  const documented = [...cells('Refused calls'), ...cells('Refusals that no caller sees')].map(([reason]) => bare(reason));
  for (const reason of refusals) t.true(documented.includes(reason), reason);
  const internal = cells('Refusals that no caller sees').map(([reason]) => bare(reason));
  t.deepEqual(internal.filter((reason) => !refusals.includes(reason)), []);
});

const sentence = (text = ''): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The rows that failure.proto asks for. */
const reasons = [...textOf('proto/lehr/v1/failure.proto').matchAll(/((?:^ {2}\/\/.*\n)+) {2}REASON_(\w+) = \d+;$/gm)]
  .filter(([, , name]) => name !== 'UNSPECIFIED')
  .map(([, comment = '', name = '']) => {
    const text = commentText(comment.trimEnd());
    const [, cause, remedy, retryable] = /^Cause: (.+?\.) Remedy: (.+?\.) (Not retryable|Retryable.*)\.$/.exec(text) ?? [];
    return { name, row: [`\`${name}\``, sentence(cause), sentence(remedy), retryable === 'Not retryable' ? 'no' : retryable === 'Retryable' ? 'yes' : 'it depends'] };
  });

/** Whether some stage of this version can end with it. In the domain `refused` is another function: it refuses commands. */
const isSent = (name: string): boolean => sources.some((source) => new RegExp(`failure\\(\\s*'${name}'`).test(source.text)
  || (!/^(?:domain|cli|streams|api)\//.test(source.name) && new RegExp(`refused\\(\\s*'${name}'|reason: '${name}'`).test(source.text)));

test('every reason of a failure that this version sends has a row: cause, remedy and retryable as the contract says', (t) => {
  t.deepEqual(cells('Failed tasks'), reasons.filter(({ name }) => isSent(name)).map(({ row }) => row));
});

test('the other reasons of the contract have a table of their own', (t) => {
  t.deepEqual(cells('Reasons that this version does not send'), reasons.filter(({ name }) => !isSent(name)).map(({ row }) => row));
});

test('what the page says of retryable is what the domain does', (t) => {
  for (const [name, , , retryable] of [...cells('Failed tasks'), ...cells('Reasons that this version does not send')]) {
    if (retryable !== 'it depends') t.is(retryable, isRetryableReason[bare(name) as keyof typeof isRetryableReason] ? 'yes' : 'no', name);
  }
});
