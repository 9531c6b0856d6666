import test from 'ava';

import { CommandError } from '../../src/cli/command-error.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { resumeStream, resumeWindowMs } from '../../src/cli/resume-stream.ts';
import type { ResumableStream } from '../../src/cli/resume-stream.ts';

const away = new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'SERVER_UNREACHABLE', 'away');
const refused = new CommandError(exitCodes.usage, 'INVALID_ARGUMENT', 'INVALID_REQUEST', 'no');

/** A stream that plays one script after the other: messages, which are tokens, and then an error or an end. */
function scripted(
  scripts: readonly (readonly (string | Error)[])[], overrides: Partial<ResumableStream<string>> = {},
): ResumableStream<string> & { readonly opened: string[]; readonly lost: () => number } {
  const opened: string[] = [];
  let nowMs = 0;
  let lost = 0;
  return {
    open: async function* (token) {
      opened.push(token);
      for (const item of scripts[opened.length - 1] ?? [away]) {
        if (item instanceof Error) throw item;
        yield item;
      }
    },
    tokenOf: (message) => message,
    firstToken: '',
    endsByItself: true,
    wasReached: true,
    onLost: () => { lost += 1; },
    pause: async () => { nowMs += 1_000; },
    nowMs: () => nowMs,
    opened,
    lost: () => lost,
    ...overrides,
  };
}

async function readAll(stream: ResumableStream<string>): Promise<{ readonly messages: string[]; readonly error: unknown }> {
  const messages: string[] = [];
  try {
    for await (const message of resumeStream(stream, new AbortController().signal)) messages.push(message);
    return { messages, error: undefined };
  } catch (error) {
    return { messages, error };
  }
}

test('a stream goes on from its last token, and tells a loss once', async (t) => {
  const stream = scripted([['a', 'b', away], [away], [away], ['c', away], ['d']]);
  t.deepEqual(await readAll(stream), { messages: ['a', 'b', 'c', 'd'], error: undefined });
  t.deepEqual([stream.opened, stream.lost()], [['', 'b', 'b', 'b', 'c'], 2]);
});

test('a stream that should not end is taken up again when it does', async (t) => {
  const stream = scripted([['a'], ['b'], [refused]], { endsByItself: false });
  t.deepEqual(await readAll(stream), { messages: ['a', 'b'], error: refused });
});

test('a server that was never reached is not waited for', async (t) => {
  const stream = scripted([[away]], { wasReached: false });
  t.deepEqual([await readAll(stream), stream.opened], [{ messages: [], error: away }, ['']]);
});

test('another error than UNAVAILABLE is not tried again', async (t) => {
  const stream = scripted([['a', refused]]);
  t.deepEqual([await readAll(stream), stream.opened], [{ messages: ['a'], error: refused }, ['']]);
});

test('a server that stays away is given up when the window has passed', async (t) => {
  const stream = scripted([['a', away]]);
  t.deepEqual(await readAll(stream), { messages: ['a'], error: away });
  t.is(stream.opened.length, resumeWindowMs / 1_000 + 1);
});

test('a server that ends the stream again and again is given up too', async (t) => {
  const stream = scripted(Array.from({ length: 1_000 }, () => []), { endsByItself: false });
  const { error } = await readAll(stream);
  t.is((error as CommandError).reason, 'STREAM_ENDED');
  t.is(stream.opened.length, resumeWindowMs / 1_000 + 1);
});
