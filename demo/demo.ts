/**
 * The demo: the real service imports a real disk image from a slow web server, shows all that there is to see of it, and
 * refuses what is no image. Everything lies in a scratch folder that is gone afterwards. Takes about 15 seconds.
 */
import { lehrIn } from './lehr-command.ts';
import { makeDiskImage } from './make-disk-image.ts';
import { heading, say } from './narrate.ts';
import { nextSteps } from './next-steps.ts';
import { runToTheEnd } from './run-to-the-end.ts';
import { openScratch } from './scratch.ts';
import { serveSlowly } from './slow-web-server.ts';
import { startService } from './start-service.ts';

/** What a download link leads to when one has to sign in first: a page, with status 200. */
const signInPage = '<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to download.</body></html>\n';

await runToTheEnd('demo', async (interrupted) => {
  await using scratch = await openScratch('demo', interrupted);

  heading('1. A disk image and a slow web server');
  const disk = await makeDiskImage(scratch.folder, scratch.signal);
  const web = await serveSlowly({ '/debian.qcow2': disk.file, '/login.qcow2': signInPage });
  scratch.leave(() => web.close());
  say(`${disk.description}, served at ${web.url}/debian.qcow2`);

  heading('2. The service');
  const service = await startService(scratch);
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

  heading('7. The chain of events, recomputed from the stored bytes');
  await lehr(0, 'verify');

  heading('Now you');
  say(nextSteps);
});
