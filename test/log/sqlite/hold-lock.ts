import { lockDataFolder } from '../../../src/log/sqlite/data-lock.ts';

/* Started by data-lock.test.ts: locks the folder, forgets the lock, collects what is garbage, says so, and holds it until it is killed. */

const [folder = '', holder = ''] = process.argv.slice(2);
lockDataFolder(folder, holder);
await new Promise((resolve) => { setImmediate(resolve); });
globalThis.gc?.();
await new Promise((resolve) => { setImmediate(resolve); });
process.stdout.write('locked\n');
setInterval(() => undefined, 60_000);
