import test from 'ava';

import { parseImageFilter } from '../../../src/api/lists/list-images.ts';
import { parseTaskFilter } from '../../../src/api/lists/list-tasks.ts';
import { filterConditionLimit, filterLengthLimit, type ParsedFilter } from '../../../src/api/lists/parse-filter.ts';

type Parameters = readonly (string | number | bigint)[];

const inMap = (map: string, operator: string): string =>
  `EXISTS (SELECT 1 FROM json_each(${map}) WHERE json_each.key = ? AND json_each.value ${operator} ?)`;
const inTags = 'EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = ?)';
const noon = Date.UTC(2026, 0, 31, 12);

const ofTasks: readonly (readonly [filter: string, where: string, parameters: Parameters])[] = [
  ['', 'TRUE', []],
  [' \t\r\n', 'TRUE', []],
  ['state=STATE_RUNNING', 'state = ?', ['STATE_RUNNING']],
  ['state != "STATE_RUNNING"', 'state != ?', ['STATE_RUNNING']],
  ['kind = import', 'kind = ?', ['import']],
  ['kind = "export" AND kind!=clone', 'kind = ? AND kind != ?', ['export', 'clone']],
  ['owner >= "AND"', 'owner >= ?', ['AND']],
  ['owner = ""', 'owner = ?', ['']],
  ['owner = "\\"\\\\\\""', 'owner = ?', ['"\\"']],
  ['owner = "\'; DROP TABLE tasks; --"', 'owner = ?', ['\'; DROP TABLE tasks; --']],
  ['owner = "two\nlines 猫"', 'owner = ?', ['two\nlines 猫']],
  ['labels.env = "prod"', inMap('labels', '='), ['env', 'prod']],
  ['labels . env = "prod"', inMap('labels', '='), ['env', 'prod']],
  ['labels.AND < "x"', inMap('labels', '<'), ['AND', 'x']],
  ['labels.my-key <= "x"', inMap('labels', '<='), ['my-key', 'x']],
  ['labels.1 > "x"', inMap('labels', '>'), ['1', 'x']],
  ['labels."a.b \\"c\\"" >= "x"', inMap('labels', '>='), ['a.b "c"', 'x']],
  ['labels."" != "x"', `NOT ${inMap('labels', '=')}`, ['', 'x']],
  ['labels.__proto__ != "x"', `NOT ${inMap('labels', '=')}`, ['__proto__', 'x']],
  ['create_time = "2026-01-31T12:00:00Z"', 'create_time = ?', [noon]],
  ['end_time != "2026-01-31T12:00:00.001Z"', 'end_time IS NOT ?', [noon + 1]],
  ['expire_time < "2026-01-31T14:00:00+02:00"', 'expire_time < ?', [noon]],
  ['update_time > "2026-01-31T12:00:00.0000001Z"', 'update_time > ?', [noon + 0.5]],
];

const ofImages: readonly (readonly [filter: string, where: string, parameters: Parameters])[] = [
  ['name <= "x" AND digest != "y"', 'name <= ? AND digest != ?', ['x', 'y']],
  ['format = DISK_FORMAT_RAW', 'format = ?', ['DISK_FORMAT_RAW']],
  ['size_bytes > 0', 'size_bytes > ?', [0n]],
  ['virtual_size_bytes <= 9223372036854775807', 'virtual_size_bytes <= ?', [2n ** 63n - 1n]],
  ['tags:"x" AND tags : "y z"', `${inTags} AND ${inTags}`, ['x', 'y z']],
  ['properties."os version" = "12"', inMap('properties', '='), ['os version', '12']],
];

const sqlOf = (parsed: ParsedFilter<never>): unknown =>
  parsed.ok ? { where: parsed.filter.where, parameters: parsed.filter.parameters } : parsed.violations;

for (const [filter, where, parameters] of ofTasks) {
  test(`of tasks: ${JSON.stringify(filter)}`, (t) => {
    const parsed = parseTaskFilter(filter);
    t.deepEqual(sqlOf(parsed), { where, parameters });
  });
}

for (const [filter, where, parameters] of ofImages) {
  test(`of images: ${filter}`, (t) => {
    const parsed = parseImageFilter(filter);
    t.deepEqual(sqlOf(parsed), { where, parameters });
  });
}

const taskFields = 'expected one of the fields id, state, kind, owner, labels.KEY, create_time, update_time, end_time, expire_time, found';
const states = 'expected one of STATE_PENDING, STATE_RUNNING, STATE_SUCCEEDED, STATE_FAILED, STATE_CANCELED, STATE_EXPIRED, found';
const and = 'expected AND (conditions are joined by nothing else) or the end, found';
const number = 'expected a whole number from 0 to 9223372036854775807, without quotes, found';
const time = 'expected a time in quotes, such as "2026-01-31T12:00:00Z", found';
const text = 'expected a text in double quotes, found';

const refusedOfTasks: readonly (readonly [filter: string, character: number, problem: string])[] = [
  ['AND', 1, `${taskFields} "AND"`],
  ['nope = 1', 1, `${taskFields} "nope"`],
  ['__proto__ = 1', 1, `${taskFields} "__proto__"`],
  ['State = STATE_RUNNING', 1, `${taskFields} "State"`],
  ['"state" = STATE_RUNNING', 1, `${taskFields} "\\"state\\""`],
  [`${'x'.repeat(60)} = 1`, 1, `${taskFields} "${'x'.repeat(40)}…"`],
  ['state', 6, 'expected one of = != after state, found the end'],
  ['state STATE_RUNNING', 7, 'expected one of = != after state, found "STATE_RUNNING"'],
  ['state < STATE_RUNNING', 7, 'expected one of = != after state, found "<"'],
  ['state:STATE_RUNNING', 6, 'expected one of = != after state, found ":"'],
  ['state = ', 9, `${states} the end`],
  ['state = RUNNING', 9, `${states} "RUNNING"`],
  ['state = STATE_UNSPECIFIED', 9, `${states} "STATE_UNSPECIFIED"`],
  ['state = "state_running"', 9, `${states} "\\"state_running\\""`],
  ['state == STATE_RUNNING', 8, `${states} "="`],
  ['kind = Import', 8, 'expected one of import, export, clone, found "Import"'],
  ['owner = blue', 9, `${text} "blue"`],
  ['owner = \'blue\'', 9, 'expected a field, an operator, an operand or AND, found "\'"'],
  ['owner = "blue', 9, 'expected a closing " for the text that begins here'],
  ['owner = "blue\\', 9, 'expected a closing " for the text that begins here'],
  ['owner = "blue\\"', 9, 'expected a closing " for the text that begins here'],
  ['owner = "bl\\ue"', 12, 'expected \\" or \\\\: there are no other escapes'],
  ['owner : "blue"', 7, 'expected one of = != < <= > >= after owner, found ":"'],
  ['owner.x = "blue"', 6, 'expected one of = != < <= > >= after owner, found "."'],
  ['owner = "a" owner = "b"', 13, `${and} "owner"`],
  ['owner = "a" and owner = "b"', 13, `${and} "and"`],
  ['owner = "a" OR owner = "b"', 13, `${and} "OR"`],
  ['owner = "a" "AND" owner = "b"', 13, `${and} "\\"AND\\""`],
  ['owner = "a" AND', 16, `${taskFields} the end`],
  ['owner = "a" AND AND owner = "b"', 17, `${taskFields} "AND"`],
  ['NOT owner = "a"', 1, `${taskFields} "NOT"`],
  ['(owner = "a")', 1, 'expected a field, an operator, an operand or AND, found "("'],
  ['owner = "😀" AND é', 17, 'expected a field, an operator, an operand or AND, found "é"'],
  ['owner = "a" \0', 13, 'expected a field, an operator, an operand or AND, found "\\u0000"'],
  ['labels = "x"', 8, 'expected a dot and a key after labels, such as labels.env, found "="'],
  ['labels', 7, 'expected a dot and a key after labels, such as labels.env, found the end'],
  ['labels. = "x"', 9, 'expected a key after labels., found "="'],
  ['labels.a.b = "x"', 9, 'expected one of = != < <= > >=; a key with a dot needs quotes, such as labels."a.b", found "."'],
  ['labels.env : "x"', 12, 'expected one of = != < <= > >= after labels, found ":"'],
  ['labels.env = prod', 14, `${text} "prod"`],
  ['end_time > "2026-02-30T00:00:00Z"', 12, `${time} "\\"2026-02-30T00:00:00Z\\""`],
  ['end_time > 2026', 12, `${time} "2026"`],
];

const refusedOfImages: readonly (readonly [filter: string, character: number, problem: string])[] = [
  ['tags = "x"', 6, 'expected : (has) after tags, found "="'],
  ['tags:x', 6, `${text} "x"`],
  ['tags.x = "x"', 5, 'expected one of : after tags, found "."'],
  ['size_bytes = "1"', 14, `${number} "\\"1\\""`],
  ['size_bytes = -1', 14, `${number} "-1"`],
  ['size_bytes = 9223372036854775808', 14, `${number} "9223372036854775808"`],
  ['size_bytes = 1.5', 15, `${and} "."`],
  ['size_bytes = 0x10', 14, `${number} "0x10"`],
  ['format = DISK_FORMAT_UNSPECIFIED', 10,
    'expected one of DISK_FORMAT_RAW, DISK_FORMAT_QCOW2, DISK_FORMAT_VMDK, DISK_FORMAT_VHD, DISK_FORMAT_VHDX, DISK_FORMAT_VDI, DISK_FORMAT_ISO, found "DISK_FORMAT_UNSPECIFIED"'],
];

for (const [filter, character, problem] of refusedOfTasks) {
  test(`refused of tasks: ${JSON.stringify(filter)}`, (t) => {
    t.deepEqual(parseTaskFilter(filter), { ok: false, violations: [{ field: 'filter', description: `At character ${character}: ${problem}.` }] });
  });
}

for (const [filter, character, problem] of refusedOfImages) {
  test(`refused of images: ${filter}`, (t) => {
    t.deepEqual(parseImageFilter(filter), { ok: false, violations: [{ field: 'filter', description: `At character ${character}: ${problem}.` }] });
  });
}

const ofLength = (length: number, character: string): string => `owner = "${character.repeat(length - 10)}"`;

test('a filter has at most 2,000 characters, however many bytes they take', (t) => {
  t.true(parseTaskFilter(ofLength(filterLengthLimit, 'x')).ok);
  t.true(parseTaskFilter(ofLength(filterLengthLimit, '😀')).ok);
  const violations = [{ field: 'filter', description: 'This has more than 2,000 characters. Send a shorter filter.' }];
  for (const filter of [ofLength(filterLengthLimit + 1, 'x'), ofLength(filterLengthLimit + 1, '😀'), ' '.repeat(10_000_000)]) {
    t.deepEqual(parseTaskFilter(filter), { ok: false, violations });
  }
});

test('a filter has at most 32 conditions', (t) => {
  const conditions = (count: number): string => Array.from({ length: count }, () => 'owner = "a"').join(' AND ');
  t.true(parseTaskFilter(conditions(filterConditionLimit)).ok);
  const description = `At character ${conditions(filterConditionLimit).length + 2}: expected at most 32 conditions.`;
  t.deepEqual(parseTaskFilter(conditions(filterConditionLimit + 1)), { ok: false, violations: [{ field: 'filter', description }] });
});
