import test from 'ava';

import { commentText, tableUnder, textOf } from './tables.ts';

const proto = textOf('proto/lehr/v1/event.proto');
const page = textOf('docs/reference/events.md');

/** The messages of event.proto: name, comment, and fields with type and comment. */
const messages = [...proto.matchAll(/((?:^\/\/.*\n)+)^message (\w+) \{([^]*?)\}$/gm)].map(([, comment = '', name = '', body = '']) => ({
  name,
  comment: commentText(comment.trimEnd()),
  fields: [...body.matchAll(/((?:^ {2}\/\/.*\n)+) {2}([\w<>., ]+?) (\w+) = \d+;$/gm)]
    .map(([, text = '', type = '', field = '']) => [`\`${field}\``, `\`${type.replace('google.protobuf.', '')}\``, commentText(text.trimEnd())]),
}));

const payloads = [...proto.matchAll(/^ {4}(\w+) \w+ = \d+;$/gm)].map(([, name = '']) => name);

test('every event that the log can hold has a section, in the order of the contract', (t) => {
  t.is(payloads.length, 13);
  t.deepEqual([...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name), payloads);
});

for (const { name, comment, fields } of messages.filter((message) => payloads.includes(message.name))) {
  test(`${name} is documented as the contract has it`, (t) => {
    const [, section = ''] = page.split(`### ${name}\n\n`);
    t.true(section.startsWith(`${comment}\n`), comment);
    t.deepEqual(fields.length === 0 ? [] : tableUnder(page, name), fields);
  });
}

test('the envelope is documented as the contract has it', (t) => {
  const fields = messages.find(({ name }) => name === 'Event')?.fields.filter(([, type]) => type !== '`oneof`');
  t.deepEqual(tableUnder(page, 'The envelope'), fields);
});
