import test from 'ava';

import { nextSteps } from '../../demo/next-steps.ts';
import { textOf } from './tables.ts';

const readme = textOf('README.md');

test('README.md says how to try and how to test in its first lines', (t) => {
  const [beginning] = readme.split('## ');
  t.regex(beginning ?? '', /^npm ci && npm run demo$/m);
  t.regex(beginning ?? '', /^npm ci && npm test$/m);
  t.regex(beginning ?? '', /`npm test` is the test command/);
});

test('README.md has what the demo says at its end', (t) => {
  t.true(readme.includes(`\`\`\`sh\n${nextSteps}\n\`\`\`\n`));
});

test('the scripts that README.md names are in package.json', (t) => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm run (\w+)/g)].map(([, name = '']) => name);
  t.deepEqual(named.filter((name) => !(name in scripts)), []);
});

test('README.md has a place for the figures of the benchmark', (t) => {
  t.regex(readme, /^## Speed\n\n```sh\nnpm run bench\n```$/m);
});
