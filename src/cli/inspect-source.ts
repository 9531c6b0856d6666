import { fileURLToPath } from 'node:url';

import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { SourceInspection } from '../inspect-source.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError, usageError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { createBarDisplay } from './output/bar-display.ts';
import { inspectionJson, inspectionLines } from './output/inspection-page.ts';
import { reasonName } from './output/names.ts';
import { styleFor } from './output/style.ts';
import { readSource } from './parse/source-uri.ts';

/** What a person asked to inspect. */
export interface Asked {
  readonly source: string;
  /** Unspecified: found out. */
  readonly declared: DiskFormat;
  readonly withGuest: boolean;
}

/** The limits of a server that is not told otherwise; a test holds them against its settings. */
export const serverLimits = { maxVirtualBytes: 64n * 1024n ** 4n, maxImageBytes: 1024 ** 4, maxDecodedRatio: 2_000 } as const;

/**
 * Inspects SOURCE and prints what came of it. Loads the inspectors only now, so that no other command does. Throws
 * `CommandError` where there is no verdict.
 */
export async function inspectSource(context: CommandContext, { source, declared, withGuest }: Asked): Promise<ExitCode> {
  const { output, signal } = context;
  const target = await targetOf(source);
  const modules = await import('../inspect-source.ts');
  const display = createDisplay(context);
  let found: SourceInspection;
  try {
    found = await modules.inspectSource({ source: target, declared, limits: serverLimits, withGuest, onProgress: display.show }, signal);
  } finally {
    display.end();
  }
  if (found.kind === 'unread') throw unreadError(found);
  if (output.isJson) await output.json(inspectionJson(source, found));
  else await output.lines(...inspectionLines(source, found, output.style));
  return found.kind === 'judged' && found.verdict.kind === 'refused' ? exitCodes.failed : exitCodes.success;
}

async function targetOf(text: string): Promise<{ readonly kind: 'file'; readonly path: string } | { readonly kind: 'url'; readonly url: string }> {
  const { uri } = await readSource(text);
  if (/^https?:/i.test(uri)) return { kind: 'url', url: uri };
  if (!/^file:/i.test(uri)) throw usageError(`${text}: an http:// or https:// address or a file can be inspected`);
  return { kind: 'file', path: fileURLToPath(uri) };
}

function unreadError({ failure }: Extract<SourceInspection, { kind: 'unread' }>): CommandError {
  const isMissing = failure.reason === 'REASON_SOURCE_NOT_FOUND';
  return new CommandError(isMissing ? exitCodes.notFound : exitCodes.unavailable, isMissing ? 'NOT_FOUND' : 'UNAVAILABLE', reasonName(failure.reason), failure.message, {
    metadata: failure.metadata,
  });
}

interface Display {
  readonly show: (bytesDone: number, bytesTotal: number) => void;
  readonly end: () => void;
}

/** How far the reading is, on stderr where that is a terminal. */
function createDisplay({ output: { stderr, env } }: CommandContext): Display {
  if (stderr.isTTY !== true || env['TERM'] === 'dumb') return { show: () => undefined, end: () => undefined };
  const bar = createBarDisplay(stderr, styleFor(true, env), false);
  return {
    show: (bytesDone, bytesTotal) => bar.show({
      activity: 'inspecting', progress: { stage: 'inspect', bytesDone: BigInt(bytesDone), bytesTotal: BigInt(bytesTotal), bytesPerSecond: 0n },
    }),
    end: bar.end,
  };
}
