/**
 * AVA's command, with its TAP reporter able to name the tests that were pending when a run is given up for idleness: it
 * gives itself a plain error there and then reads fields that only a serialized one has, and ends with a TypeError.
 */
import path from 'node:path';

const ava = path.resolve(import.meta.dirname, '../node_modules/ava');

type TestEvent = { readonly testFile: string; readonly title: string; readonly err?: unknown };
type Reporter = { readonly prototype: { writeTest: (event: TestEvent, flags: object) => void } };

const { default: reporter } = await import(path.join(ava, 'lib/reporters/tap.js')) as { default: Reporter };
const { writeTest } = reporter.prototype;
reporter.prototype.writeTest = function (event, flags) {
  const { err } = event;
  const serialized = err instanceof Error ? { type: 'native', name: err.name, stack: err.stack, formattedDetails: [], originalError: err } : err;
  writeTest.call(this, { ...event, err: serialized }, flags);
};

await import(path.join(ava, 'entrypoints/cli.js'));
