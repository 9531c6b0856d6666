import test from 'ava';
import { shownUri } from '../../../src/cli/output/shown-uri.ts';

for (const [uri, shown] of [
  ['https://store.example/a.raw?X-Amz-Signature=hush&x#y', 'https://store.example/a.raw'],
  ['https://store.example/a.raw#hush?x', 'https://store.example/a.raw'],
  ['file:///srv/a%3Fb', 'file:///srv/a%3Fb'],
  ['', ''],
] as const) {
  test(`"${uri}" is shown as "${shown}"`, (t) => {
    t.is(shownUri(uri), shown);
  });
}
