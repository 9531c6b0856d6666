import test from 'ava';

import { parseRegions } from '../../src/regions/parse-regions.ts';

const read: readonly (readonly [text: string, regions: readonly (readonly [name: string, origin: string])[]])[] = [
  ['', []],
  [' , ', []],
  ['dfw=http://10.0.0.5:8080', [['dfw', 'http://10.0.0.5:8080']]],
  ['dfw=http://10.0.0.5:8080, ord=https://lehr.ORD.example/ ,1-2=http://[fd00::5]:80', [
    ['dfw', 'http://10.0.0.5:8080'], ['ord', 'https://lehr.ord.example'], ['1-2', 'http://[fd00::5]'],
  ]],
  [`${'a'.repeat(63)}=https://a.example`, [['a'.repeat(63), 'https://a.example']]],
];

for (const [text, regions] of read) {
  test(`"${text}" names ${regions.length} regions`, (t) => {
    t.deepEqual(parseRegions(text), regions.map(([name, origin]) => ({ name, origin })));
  });
}

const refused: readonly (readonly [text: string, problem: RegExp])[] = [
  ['dfw', /a name has 1 to 63 characters/],
  ['=http://a.example', /a name has/],
  ['DFW=http://a.example', /a name has/],
  ['d.f=http://a.example', /a name has/],
  [`${'a'.repeat(64)}=http://a.example`, /a name has/],
  ['dfw=http://a.example,dfw=http://b.example', /must have each name once, and has "dfw" twice/],
  ['dfw=', /the address of "dfw" must be http or https/],
  ['dfw=a.example:8080', /address of "dfw"/],
  ['dfw=ftp://a.example', /address of "dfw"/],
  ['dfw=http://a.example/lehr', /without path, query and user/],
  ['dfw=http://a.example?x=1', /without path, query and user/],
  ['dfw=http://a.example#x', /without path, query and user/],
  ['dfw=http://u:p@a.example', /without path, query and user/],
  ['dfw=http://a b.example', /address of "dfw"/],
  ['dfw=http://a.example:99999', /address of "dfw"/],
  [Array.from({ length: 101 }, (_, index) => `r${index}=http://a.example`).join(','), /at most 100 entries/],
];

for (const [text, problem] of refused) {
  test(`"${text.slice(0, 60)}" is refused`, (t) => {
    const parsed = parseRegions(text);
    t.regex('problem' in parsed ? parsed.problem : '', problem);
  });
}
