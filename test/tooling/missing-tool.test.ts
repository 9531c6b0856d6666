import path from 'node:path';

import test from 'ava';

import { missingTool } from '../../scripts/missing-tool.ts';
import type { Tool } from '../../scripts/tool-list.ts';

const script = path.resolve(import.meta.dirname, '../../scripts/servers/kafka-jars.ts');

const cases: readonly (readonly [source: Tool['source'], command: string])[] = [
  [{ kind: 'packages', packages: ['one', 'two'] }, 'apt-get install one two'],
  [{ kind: 'command', command: [process.execPath, script, '--flag'] }, 'node scripts/servers/kafka-jars.ts --flag'],
];

for (const [source, command] of cases) {
  test(`a missing tool is to be had with: ${command}`, (t) => {
    t.is(
      missingTool({ name: 'kafka', probe: ['false'], skipped: 'nothing is tried', source }),
      `kafka is missing; without it nothing is tried. Install it with: ${command}`,
    );
  });
}
