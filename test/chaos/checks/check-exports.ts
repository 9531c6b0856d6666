import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { digestOf } from '../../acceptance/harness/disk-images.ts';
import type { Ledger } from '../ledger.ts';
import { registeredIn, specOf } from './check-tasks.ts';
import { describeEvents } from './describe-events.ts';
import type { ReadLog } from './read-log.ts';

/**
 * Each export that succeeded has delivered one file, which is what its result says and what the task had recorded; one that did not has
 * delivered nothing, or, where its node died in between, the whole of it. Nothing else is there but what dead attempts of tasks that did
 * not succeed were writing.
 */
export function checkExports(ledger: Ledger, log: ReadLog, folder: string): void {
  const expected = new Set<string>();
  const mayHaveLeft = new Set<string>();
  for (const [subject, events] of log) {
    const spec = specOf(events[0]);
    if (spec?.kind?.$case !== 'exportImage') continue;
    const broken = (rule: string): void => ledger.violate(rule, subject, describeEvents(events));
    const { destinationUri, imageId } = spec.kind.value;
    const file = fileURLToPath(destinationUri);
    expected.add(path.basename(file));
    const results = events.flatMap(({ payload }) => (payload?.$case === 'taskSucceeded' && payload.value.result !== undefined ? [payload.value.result] : []));
    const recorded = events.flatMap(({ payload }) => (payload?.$case === 'stageCompleted' && payload.value.stage === 'convert' ? [payload.value.digest] : []));
    const original = registeredIn(log, imageId);
    const delivered = existsSync(file) ? digestOf(readFileSync(file)) : undefined;
    ledger.count(`export ${results.length > 0 ? 'succeeded' : 'did not succeed'}, ${delivered === undefined ? 'nothing' : 'a file'} there`);
    const [result] = results;
    if (result === undefined) mayHaveLeft.add(subject.slice('tasks/'.length));
    else if (delivered !== result.digest || !result.verified) broken('an export that succeeded has delivered what its result says');
    if (result !== undefined && result.guestDigest !== original?.guestDigest) broken('an export has the disk of its image');
    if (delivered !== undefined && ![original?.digest, ...recorded].includes(delivered)) broken('what is delivered is what the task had recorded');
  }
  for (const name of readdirSync(folder)) {
    const [, ofTask = ''] = /\.lehr-([0-9a-f-]{36})\.\d+$/.exec(name) ?? [];
    if (!expected.has(name) && !mayHaveLeft.has(ofTask)) ledger.violate('exports leave nothing but what they deliver', name);
    if (ofTask !== '') ledger.count('temporary file left by a dead attempt');
  }
}
