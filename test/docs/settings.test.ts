import test from 'ava';

import { environmentName, loadConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { tableUnder, textOf } from './tables.ts';

const page = textOf('docs/reference/settings.md');

test('the page has a row for each setting, in the same order, with its default and meaning', (t) => {
  const expected = Object.entries(settings).map(([name, { fallback, description }]) => {
    const shown = name === 'workers' ? 'number of cores' : fallback === '' ? '' : `\`${fallback}\``;
    return [`\`${name}\``, shown, description];
  });
  t.deepEqual(tableUnder(page, 'All settings'), expected);
});

test('the example file and the example variables are taken as they stand', (t) => {
  const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
  const flags = yaml.trim().split('\n').map((line) => `--${line.replace(/: +/, '=')}`);
  t.true(flags.length >= 3);
  t.notThrows(() => loadConfig(flags, {}));
  t.is(environmentName('http-port'), 'LEHR_HTTP_PORT');
  t.true(page.includes('LEHR_HTTP_PORT=8081'));
});

test('the unit file of the service starts lehr with settings that there are, and leaves the signals to it', (t) => {
  const [, unit = ''] = /```ini\n([^]*?)```/.exec(textOf('docs/how-to/run-as-a-service.md')) ?? [];
  const [, words = ''] = /^ExecStart=\/opt\/lehr\/bin\/lehr serve (.+)$/m.exec(unit) ?? [];
  t.is(loadConfig(words.split(' '), {})['data-dir'], '/var/lib/lehr');
  t.regex(unit, /^KillMode=mixed$/m);
});
