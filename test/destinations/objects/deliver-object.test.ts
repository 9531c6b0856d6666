import test from 'ava';
import type { ExecutionContext } from 'ava';
import { FailureError, failure } from '../../../src/domain/failures.ts';
import type { Failure } from '../../../src/gen/lehr/v1/failure.ts';
import type { Artefact } from '../../../src/destinations/destination.ts';
import { startTcpProxy } from '../../../scripts/servers/tcp-proxy.ts';
import { sharedSwift } from '../../servers/shared-swift.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { artefactOf, credentialsAt, delivery, found, listContainer, makeContainer, openStores, someBytes } from './object-stores.ts';
import type { ObjectStores } from './object-stores.ts';

const never = new AbortController().signal;
const small = someBytes(70_000);
const large = someBytes(450_000, 'large');

async function prepare(t: ExecutionContext): Promise<{ readonly stores: ObjectStores; readonly container: string }> {
  const { origin } = await sharedSwift(t);
  const stores = openStores(credentialsAt(origin));
  t.teardown(() => stores.close());
  return { stores, container: await makeContainer(stores) };
}

async function failing(delivering: Promise<unknown>): Promise<Omit<Failure, 'stage'>> {
  try {
    await delivering;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, retryable, metadata, message } = error.failure;
    return { reason, retryable, metadata, message };
  }
  throw new Error('It was delivered.');
}

async function read(stores: ObjectStores, kind: 's3' | 'swift', container: string, name: string): Promise<Buffer> {
  const { status, body } = await stores.door(kind).ask({ method: 'GET', address: { kind, container, name } }, never);
  if (status !== 200) throw new Error(`${status}`);
  return body;
}

/** What is left of parts that belong to no object. */
async function leftovers(stores: ObjectStores, container: string): Promise<readonly string[]> {
  const beside = await Promise.all([`${container}_segments`, `${container}+segments`].map((name) => listContainer(stores, name)));
  return beside.flatMap((names) => names ?? []);
}

if (hasTool('swift')) {
  for (const kind of ['s3', 'swift'] as const) {
    const request = (container: string, name: string, credential: string = kind): Parameters<ObjectStores['destinations']['deliver']>[0] =>
      ({ uri: `${kind}://${container}/${encodeURI(name)}`, credential, owner: 'anna' });

    for (const [what, bytes, name] of [['a small artefact', small, 'small.qcow2'], ['a large one in parts', large, "f/ö (1)'s + large.img"]] as const) {
      test(`${kind}: ${what} is delivered, read back by the server's own digests, and withdrawn`, async (t) => {
        const { stores, container } = await prepare(t);
        const progress: number[] = [];
        const watched = delivery({ progress: (done) => progress.push(done) });
        const delivered = await stores.destinations.deliver(request(container, name), artefactOf(bytes), watched);
        t.is(delivered.location, `${kind}://${container}/${name === 'small.qcow2' ? name : 'f/%C3%B6%20%281%29%27s%20%2B%20large.img'}`);
        t.deepEqual({ ...delivered, location: '' }, { location: '', ...found(bytes), verified: true });
        t.true((await read(stores, kind, container, name)).equals(bytes));
        t.is(progress.at(-1), bytes.length);
        t.true(await stores.destinations.withdraw(request(container, name), delivered, never));
        t.deepEqual([await listContainer(stores, container), await leftovers(stores, container)], [[], []]);
      });

      test(`${kind}: nothing is overwritten by ${what}, and what this task delivered before is its result`, async (t) => {
        const { stores, container } = await prepare(t);
        const { deliver } = stores.destinations;
        const first = await deliver(request(container, 'one'), artefactOf(bytes), delivery());
        const other = someBytes(bytes.length, 'other');
        const failed = await failing(deliver(request(container, 'one'), artefactOf(other), delivery({ ours: [found(other)] })));
        t.like(failed, { reason: 'REASON_DESTINATION_EXISTS', retryable: false, metadata: {} });
        const again = await deliver(request(container, 'one'), artefactOf(other), delivery({ ours: [found(other), found(bytes)] }));
        t.deepEqual(again, { ...first, existed: true });
        t.true((await read(stores, kind, container, 'one')).equals(bytes));
      });

      test(`${kind}: whoever makes the object while ${what} is on its way wins`, async (t) => {
        const { stores, container } = await prepare(t);
        let isMade = false;
        const artefact = artefactOf(bytes, async (offset) => {
          if (offset < 30_000 || isMade) return;
          isMade = true;
          await stores.door('swift').ask({ method: 'PUT', address: { kind: 'swift', container, name: 'one' }, body: Buffer.from('faster') }, never);
        });
        const delivered = await stores.destinations.deliver(request(container, 'one'), artefact, delivery()).catch((error: unknown) => error);
        const content = await read(stores, kind, container, 'one');
        // Of two requests that begin at once the store takes either; what it kept is what is told.
        if (bytes === small && content.equals(bytes)) return t.like(delivered, { verified: true });
        t.is(content.toString(), 'faster');
        t.like(delivered, { failure: { reason: 'REASON_DESTINATION_EXISTS' } });
        t.deepEqual(await leftovers(stores, container), []);
      });

      test(`${kind}: of ${what} that turns out to be damaged nothing is left`, async (t) => {
        const { stores, container } = await prepare(t);
        const damaged: Artefact = artefactOf(bytes, (offset) => {
          if (offset + 30_000 >= bytes.length) throw new FailureError(failure('IMAGE_CORRUPT', 'Damaged.'));
        });
        t.like(await failing(stores.destinations.deliver(request(container, 'one'), damaged, delivery())), { reason: 'REASON_IMAGE_CORRUPT', metadata: {} });
        t.deepEqual([await listContainer(stores, container), await leftovers(stores, container)], [[], []]);
      });

      test(`${kind}: a delivery of ${what} that is aborted leaves nothing`, async (t) => {
        const { stores, container } = await prepare(t);
        const controller = new AbortController();
        const artefact = artefactOf(bytes, (offset) => { if (offset === 60_000) controller.abort(new Error('canceled')); });
        await t.throwsAsync(stores.destinations.deliver(request(container, 'one'), artefact, delivery({ signal: controller.signal })), { message: 'canceled' });
        t.deepEqual([await listContainer(stores, container), await leftovers(stores, container)], [[], []]);
      });

      test(`${kind}: ${what} goes on when connections break`, async (t) => {
        const { port } = await sharedSwift(t);
        const proxy = await startTcpProxy(port);
        t.teardown(() => proxy.stop());
        const stores = openStores(credentialsAt(`http://127.0.0.1:${proxy.port}`));
        t.teardown(() => stores.close());
        const container = await makeContainer(stores);
        let breaks = 0;
        const artefact = artefactOf(bytes, async (offset) => {
          if (offset < bytes.length * 0.8 || breaks > 0) return;
          breaks += 1;
          await proxy.cut();
          await proxy.resume();
        });
        const delivered = await stores.destinations.deliver(request(container, 'one'), artefact, delivery());
        t.deepEqual({ ...delivered, location: '' }, { location: '', ...found(bytes), verified: true });
        t.is(breaks, 1);
        t.true((await read(stores, kind, container, 'one')).equals(bytes));
      });
    }

    test(`${kind}: a server that is gone fails the delivery as unreachable`, async (t) => {
      const { port } = await sharedSwift(t);
      const proxy = await startTcpProxy(port);
      const stores = openStores(credentialsAt(`http://127.0.0.1:${proxy.port}`));
      t.teardown(() => stores.close());
      const container = await makeContainer(stores);
      await proxy.stop();
      const failed = await failing(stores.destinations.deliver(request(container, 'one'), artefactOf(small), delivery()));
      t.like(failed, { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { system_error: 'ECONNREFUSED' } });
    });

    test(`${kind}: a credential that is wrong, or of another account, is forbidden, and says no secret`, async (t) => {
      const { stores, container } = await prepare(t);
      for (const credential of [`wrong-${kind}`, `bens-${kind}`]) {
        const failed = await failing(stores.destinations.deliver(request(container, 'one', credential), artefactOf(small), delivery()));
        t.notRegex(JSON.stringify(failed), /hush|secret-key/);
        if (credential.startsWith('wrong')) t.like(failed, { reason: 'REASON_DESTINATION_FORBIDDEN', retryable: false });
        else t.regex(failed.reason, /FORBIDDEN|UNREACHABLE/);
      }
    });

    test(`${kind}: a container that does not exist is named, for small artefacts and for large ones`, async (t) => {
      const { stores } = await prepare(t);
      for (const bytes of [small, large]) {
        const failed = await failing(stores.destinations.deliver(request('no-such-one', 'one'), artefactOf(bytes), delivery()));
        t.like(failed, { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: false });
        t.regex(failed.message, new RegExp(`^${kind}://no-such-one/one answered 404.* the bucket or container does not exist`));
      }
    });

    /** Lets an attempt die while it delivers `large`; answers with the id of its task. */
    const dieDelivering = async (t: ExecutionContext, { stores, container }: Awaited<ReturnType<typeof prepare>>): Promise<string> => {
      const { port } = await sharedSwift(t);
      const proxy = await startTcpProxy(port);
      t.teardown(() => proxy.stop());
      const dying = openStores(credentialsAt(`http://127.0.0.1:${proxy.port}`));
      t.teardown(() => dying.close());
      const controller = new AbortController();
      const artefact = artefactOf(large, async (offset) => {
        if (offset < 300_000) return;
        // As when the process is killed: nobody can clean up any more.
        await proxy.cut();
        controller.abort(new Error('killed'));
      });
      const first = delivery({ signal: controller.signal });
      await t.throwsAsync(dying.destinations.deliver(request(container, 'one'), artefact, first));
      t.not((await leftovers(stores, container)).length, 0);
      return first.taskId;
    };

    test(`${kind}: what an attempt left that died is removed by the next one, though that finds something else there`, async (t) => {
      const { stores, container } = await prepare(t);
      const taskId = await dieDelivering(t, { stores, container });
      await stores.door('swift').ask({ method: 'PUT', address: { kind: 'swift', container, name: 'one' }, body: Buffer.from('faster') }, never);
      const failed = await failing(stores.destinations.deliver(request(container, 'one'), artefactOf(large), { ...delivery(), taskId, attempt: 2 }));
      t.like(failed, { reason: 'REASON_DESTINATION_EXISTS' });
      t.deepEqual(await leftovers(stores, container), []);
    });

    test(`${kind}: what an attempt left that died is removed when its task has ended, and nothing of other tasks`, async (t) => {
      const { stores, container } = await prepare(t);
      const taskId = await dieDelivering(t, { stores, container });
      const others = { ...delivery(), attempt: 1 };
      const removing = (of: string, artefact: Artefact): Promise<void> =>
        stores.destinations.removeLeftovers(request(container, 'one'), { taskId: of, attempts: 1, artefacts: [artefact] }, never);
      await removing(others.taskId, artefactOf(someBytes(450_000, 'other')));
      t.not((await leftovers(stores, container)).length, 0);
      await removing(taskId, artefactOf(large));
      t.deepEqual(await leftovers(stores, container), []);
    });

    test(`${kind}: an object that is there keeps all that it consists of when its task has ended in vain`, async (t) => {
      const { stores, container } = await prepare(t);
      const its = delivery();
      await stores.destinations.deliver(request(container, 'one'), artefactOf(large), its);
      const ended = { taskId: its.taskId, attempts: 1, artefacts: [artefactOf(large)] };
      await stores.destinations.removeLeftovers(request(container, 'one'), ended, never);
      t.true((await read(stores, kind, container, 'one')).equals(large));
    });

    test(`${kind}: the next attempt goes on where one that died has stopped, and leaves nothing`, async (t) => {
      const { stores, container } = await prepare(t);
      const taskId = await dieDelivering(t, { stores, container });
      const readFrom: number[] = [];
      const whole = artefactOf(large);
      const artefact: Artefact = {
        ...whole,
        chunks(offset, signal) {
          readFrom.push(offset);
          return whole.chunks(offset, signal);
        },
      };
      const progress: number[] = [];
      const seen = { ...delivery(), taskId, attempt: 2, progress: (bytesDone: number) => { progress.push(bytesDone); } };
      const second = await stores.destinations.deliver(request(container, 'one'), artefact, seen);
      t.true(second.verified);
      t.true((await read(stores, kind, container, 'one')).equals(large));
      // All is read to see what lies there; what is sent begins behind that.
      const sentFrom = readFrom.at(-1) ?? 0;
      t.true(sentFrom >= 200_000, `it was read from ${readFrom.join(', ')}`);
      t.is(progress.at(-1), large.length);
      t.true(await stores.destinations.withdraw(request(container, 'one'), second, never));
      t.deepEqual(await leftovers(stores, container), []);
    });

    test(`${kind}: what a died attempt left of other bytes is not taken`, async (t) => {
      const { stores, container } = await prepare(t);
      const taskId = await dieDelivering(t, { stores, container });
      const other = Buffer.from(large);
      other[150_000] = (other[150_000] ?? 0) ^ 1;
      const second = await stores.destinations.deliver(request(container, 'one'), artefactOf(other), { ...delivery(), taskId, attempt: 2 });
      t.true(second.verified);
      t.true((await read(stores, kind, container, 'one')).equals(other));
    });
  }
}
