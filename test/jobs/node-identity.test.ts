import test from 'ava';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseIncarnation } from '../../src/jobs/incarnation.ts';
import { nextIncarnation } from '../../src/jobs/node-identity.ts';

const node = '4b7706d4-c183-5c89-b5a6-a7cbeaa0637e';

function dataFolder(t: { teardown(undo: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-node-'));
  t.teardown(() => { rmSync(folder, { recursive: true }); });
  return folder;
}

test('a node keeps its id and counts its lives', async (t) => {
  const folder = dataFolder(t);
  const lives = [];
  for (let start = 0; start < 3; start += 1) lives.push(await nextIncarnation(folder, () => node));
  t.deepEqual(lives, [1, 2, 3].map((generation) => ({ node, generation, incarnation: `${node}.${generation}` })));
  t.deepEqual(lives.map(({ incarnation }) => parseIncarnation(incarnation)), [1, 2, 3].map((generation) => ({ node, generation })));
  t.deepEqual(readdirSync(folder), ['node.json']);
  t.deepEqual(JSON.parse(readFileSync(join(folder, 'node.json'), 'utf8')), { node, generation: 3 });
});

test('what a crash left beside the file does not matter', async (t) => {
  const folder = dataFolder(t);
  await nextIncarnation(folder, () => node);
  writeFileSync(join(folder, 'node.json.new'), '{"node":');
  t.is((await nextIncarnation(folder)).generation, 2);
});

test('nodes that start for the first time have different ids', async (t) => {
  const [one, other] = await Promise.all([dataFolder(t), dataFolder(t)].map((folder) => nextIncarnation(folder)));
  t.not(one?.node, other?.node);
});

const damages: Readonly<Record<string, string>> = {
  'is empty': '',
  'is cut off': `{"node":"${node}","gener`,
  'holds no id': '{"node":"me","generation":3}',
  'holds no generation': `{"node":"${node}"}`,
  'holds a generation that is no number': `{"node":"${node}","generation":"3"}`,
  'holds a generation that nobody has': `{"node":"${node}","generation":0}`,
  'holds a generation that cannot be counted on': `{"node":"${node}","generation":1e300}`,
  'holds something else': 'null',
};

for (const [name, text] of Object.entries(damages)) {
  test(`a file that ${name} is refused with the remedy, and stays as it is`, async (t) => {
    const folder = dataFolder(t);
    const file = join(folder, 'node.json');
    writeFileSync(file, text);
    const { message } = (await t.throwsAsync(nextIncarnation(folder)));
    t.true(message.startsWith(`${file} is damaged`));
    t.regex(message, /Delete it/);
    t.is(readFileSync(file, 'utf8'), text);
  });
}

test('texts of other forms name no life of a node', (t) => {
  const texts = ['', node, `${node}.`, `${node}.0`, `${node}.01`, `${node}.-1`, `${node}.1.2`, `${node}.1 `, `.1`, `a b.1`, `${'n'.repeat(65)}.1`, `${node}.${'9'.repeat(16)}`];
  t.deepEqual(texts.filter((text) => parseIncarnation(text) !== undefined), []);
});
