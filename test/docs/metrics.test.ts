import test from 'ava';

import { createMetrics } from '../../src/observe/metrics.ts';
import { tableUnder, textOf } from './tables.ts';

/** Metrics of the process itself come from prom-client under these prefixes. */
const ofProcess = /^lehr_(?:process|nodejs)_/;

test('the page has a row for each metric of the service, with its type, labels and help', async (t) => {
  const none = (): number => 0;
  const { text } = await createMetrics({
    runningTasks: none, openWatches: none, projectionLag: none, borrowedSlots: none, haltedPartitions: none, unknownTypes: none,
    isConnected: () => true,
  }).read();
  const source = textOf('src/observe/metrics.ts').replace(/\n\s+/g, ' ');
  const metrics = [...text.matchAll(/^# HELP (\S+) (.+)\n# TYPE \S+ (\S+)$/gm)].filter(([, name = '']) => !ofProcess.test(name));
  const expected = metrics.map(([, name = '', help = '', type = '']) => {
    const [, labels = ''] = new RegExp(`name: '${name}', help: '[^']*', labelNames: \\[([^\\]]*)\\]`).exec(source) ?? [];
    return [`\`${name}\``, type, labels.replaceAll('\'', '`').replaceAll(',', ''), help];
  });
  t.true(expected.length >= 10);
  t.deepEqual(tableUnder(textOf('docs/reference/metrics.md'), 'Metrics of the service'), expected);
});
