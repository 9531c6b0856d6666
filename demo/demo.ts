/**
 * The demo: the real service imports a real disk image from a slow web server, shows all that there is to see of it, refuses
 * what is no image and what would endanger its reader, imports one that is compressed in another format, exports the first one,
 * and a second region clones it. Everything lies in a scratch folder that is gone afterwards. Takes less than 30 seconds.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { lehrIn } from './lehr-command.ts';
import { makeCompressedDisk } from './make-compressed-disk.ts';
import { makeDiskImage } from './make-disk-image.ts';
import { makeHostileImage } from './make-hostile-image.ts';
import { heading, say } from './narrate.ts';
import { nextSteps } from './next-steps.ts';
import { runToTheEnd } from './run-to-the-end.ts';
import { openScratch } from './scratch.ts';
import { serveSlowly } from './slow-web-server.ts';
import { startService } from './start-service.ts';

/** What a download link leads to when one has to sign in first: a page, with status 200. */
const signInPage = '<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to download.</body></html>\n';

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

await runToTheEnd('demo', async (interrupted) => {
  await using scratch = await openScratch('demo', interrupted);

  heading('1. A disk image and a slow web server');
  const disk = await makeDiskImage(scratch.folder, scratch.signal);
  const hostile = await makeHostileImage(disk.file, scratch.folder);
  const compressed = await makeCompressedDisk(scratch.folder);
  const web = await serveSlowly({ '/debian.qcow2': disk.file, '/login.qcow2': signInPage, '/free.qcow2': hostile.file, '/small.raw.gz': compressed });
  scratch.leave(() => web.close());
  say(`${disk.description}, served at ${web.url}/debian.qcow2`);

  heading('2. The service');
  const exports = path.join(scratch.folder, 'exports');
  await mkdir(exports);
  const service = await startService(scratch, { 'file-roots': exports });
  const lehr = lehrIn(scratch, service.grpcAddress);
  say(`gRPC on ${service.grpcAddress}, HTTP on ${service.httpUrl}, data in ${scratch.folder}`);

  heading('3. An import');
  await lehr(0, 'import', `${web.url}/debian.qcow2`, '--name', 'debian', '--label', 'env=demo', '--digest', disk.digest, '--wait');
  const image = await lehr.json<{ id: string; taskId: string }>('images', 'list');

  heading('4. The image that it made');
  await lehr(0, 'images', 'show', image.id);

  heading('5. The history of the task, event by event');
  await lehr(0, 'tasks', 'history', image.taskId);

  heading('6. An import that is refused: the address leads to a sign-in page');
  await lehr(1, 'import', `${web.url}/login.qcow2`, '--wait');

  heading('7. An image that would read a file of this server is refused while it streams');
  await lehr(1, 'import', `${web.url}/free.qcow2`, '--wait');
  say(`Of ${mebibytes(hostile.sizeBytes)} the web server had sent ${mebibytes(web.sentBytes('/free.qcow2'))} when the service hung up.`);

  heading('8. A compressed disk, kept in another format');
  const isConverted = await lehr.attempt('import', `${web.url}/small.raw.gz`, '--store-format', 'qcow2', '--wait');
  if (isConverted) await lehr(0, 'tasks', 'history', (await lehr.json<{ id: string }>('images', 'list', '--name', 'small.raw.gz')).id);
  else say('This machine cannot convert, and the message says why. Everything else works without it.');

  heading('9. An export, in a format that the image is not stored in');
  const isExported = await lehr.attempt('export', image.id, path.join(exports, 'debian.vmdk'), '--format', 'vmdk', '--wait');
  if (!isExported) await lehr(0, 'export', image.id, path.join(exports, 'debian.qcow2'), '--wait');

  heading('10. A second region, which clones the image from the first');
  const second = await startService(scratch, { 'data-dir': path.join(scratch.folder, 'second'), regions: `first=${service.httpUrl}` });
  say(`gRPC on ${second.grpcAddress}, HTTP on ${second.httpUrl}; the first region is the one above`);
  const there = lehrIn(scratch, second.grpcAddress, true);
  await there(0, 'clone', image.id, '--from', 'first', '--wait');
  await there(0, 'images', 'show', (await there.json<{ id: string }>('images', 'list')).id);

  heading('11. The chain of events, recomputed from the stored bytes');
  await lehr(0, 'verify');

  heading('Now you');
  say(nextSteps);
});
