import test from 'ava';

import { formatPosition, hasReached, latest, parsePosition, startPosition, type Position } from '../../src/log/position.ts';

const position = (...entries: readonly (readonly [number, bigint])[]): Position => new Map(entries);

const tokens: readonly (readonly [token: string, position: Position])[] = [
  ['', startPosition],
  ['0-0', position([0, 0n])],
  ['0-42', position([0, 42n])],
  ['0-9223372036854775807', position([0, 2n ** 63n - 1n])],
  ['0-1.2-3.11-9007199254740993', position([0, 1n], [2, 3n], [11, 9_007_199_254_740_993n])],
];

for (const [token, value] of tokens) {
  test(`the token '${token}' and its position mean each other`, (t) => {
    t.deepEqual(parsePosition(token), value);
    t.is(formatPosition(value), token);
  });
}

test('a token lists partitions by number', (t) => {
  t.is(formatPosition(position([10, 1n], [2, 5n], [0, 3n])), '0-3.2-5.10-1');
});

const everyPartition = Array.from({ length: 1_024 }, (_, partition) => `${partition}-1`);

const foreign: readonly (readonly [title: string, token: string])[] = [
  ['a word', 'latest'],
  ['no offset', '0-'],
  ['no partition', '-5'],
  ['a negative offset', '0--5'],
  ['a space', '0- 5'],
  ['a dot at the end', '0-5.'],
  ['a dot alone', '.'],
  ['a line after it', '0-5\n'],
  ['an offset that no store can hold', '0-9223372036854775808'],
  ['an offset of 20 digits', '0-00000000000000000001'],
  ['the same partition twice', '0-5.0-6'],
  ['more partitions than are taken', [...everyPartition, '1024-1'].join('.')],
  ['a megabyte', '0-1.'.repeat(262_144)],
];

for (const [title, token] of foreign) {
  test(`a token with ${title} is none`, (t) => {
    t.is(parsePosition(token), undefined);
  });
}

test('a token may have 1,024 partitions', (t) => {
  t.is(parsePosition(everyPartition.join('.'))?.size, 1_024);
});

const two = position([0, 5n], [1, 0n]);

const reached: readonly (readonly [title: string, position: Position, target: Position, reached: boolean])[] = [
  ['the start reaches the start', startPosition, startPosition, true],
  ['the start does not reach a first record', startPosition, position([0, 0n]), false],
  ['a position reaches itself', two, two, true],
  ['a position reaches what is behind it', two, position([0, 4n]), true],
  ['a position does not reach what is beyond it in one partition', two, position([0, 5n], [1, 1n]), false],
  ['a position does not reach a partition that it has not read', position([0, 5n]), two, false],
];

for (const [title, value, target, expected] of reached) {
  test(title, (t) => {
    t.is(hasReached(value, target), expected);
  });
}

test('the later of two positions is the later in each partition, whichever comes first', (t) => {
  const other = position([0, 3n], [1, 9n], [2, 0n]);
  const expected = position([0, 5n], [1, 9n], [2, 0n]);
  t.deepEqual(latest(two, other), expected);
  t.deepEqual(latest(other, two), expected);
  t.deepEqual(two, position([0, 5n], [1, 0n]));
});
