import test from 'ava';
import { formatIncarnation } from '../../src/jobs/incarnation.ts';
import { forgetAfterMs, heartbeatEveryMs, knownLimit, Liveness, ownSilenceLimitMs, silenceLimitMs } from '../../src/jobs/liveness.ts';
import type { Death } from '../../src/jobs/liveness.ts';
import type { NodeIdentity } from '../../src/jobs/node-identity.ts';
import { TestHeartbeats } from './test-heartbeats.ts';
import { VirtualClock } from './virtual-clock.ts';

const second = 1_000;

const lifeOf = (node: string, generation: number): NodeIdentity => ({
  node, generation, incarnation: formatIncarnation({ node, generation }),
});

const me = lifeOf('me', 3);
const [you, newYou] = [lifeOf('you', 7), lifeOf('you', 8)];

/** A judge whose time and heartbeats the test moves. Heartbeats of others come when the test says so. */
function bench() {
  const clock = new VirtualClock();
  const heartbeats = new TestHeartbeats();
  const liveness = new Liveness({ heartbeats, clock, self: me });
  const deaths: (readonly Death[])[] = [];
  liveness.onDeath((died) => { deaths.push(died); });
  liveness.start();
  const beatFor = async (self: NodeIdentity, durationMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += heartbeatEveryMs) {
      heartbeats.beat({ ...self, leaving: false });
      await clock.pass(heartbeatEveryMs);
    }
  };
  return { clock, heartbeats, liveness, deaths, beatFor };
}

type Bench = ReturnType<typeof bench>;

/** What has happened, whom the judge is asked for, and what it must say. */
interface Judgement {
  readonly after: (bench: Bench) => Promise<unknown>;
  readonly of?: NodeIdentity;
  readonly isDead: boolean;
}

const judgements: Readonly<Record<string, Judgement>> = {
  'who is heard lives': { after: ({ beatFor }) => beatFor(you, 60 * second), isDead: false },
  'who was heard a moment less than 8 s ago lives': {
    after: async ({ heartbeats, clock }) => {
      await clock.pass(60 * second);
      heartbeats.beat({ ...you, leaving: false });
      await clock.pass(silenceLimitMs - 1);
    },
    isDead: false,
  },
  'who was not heard for 8 s is dead': {
    after: async ({ heartbeats, clock }) => {
      await clock.pass(60 * second);
      heartbeats.beat({ ...you, leaving: false });
      await clock.pass(silenceLimitMs);
    },
    isDead: true,
  },
  'who was dead and is heard again lives': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.beat({ ...you, leaving: false });
      await clock.pass(60 * second);
      heartbeats.beat({ ...you, leaving: false });
    },
    isDead: false,
  },
  'who said goodbye is dead at once': { after: async ({ heartbeats }) => heartbeats.beat({ ...you, leaving: true }), isDead: true },
  'a heartbeat that comes after the goodbye changes nothing': {
    after: async ({ heartbeats }) => {
      for (const leaving of [false, true, false]) heartbeats.beat({ ...you, leaving });
    },
    isDead: true,
  },
  'an older life of a node of which a newer one is heard is dead at once': {
    after: async ({ heartbeats }) => {
      for (const life of [you, newYou]) heartbeats.beat({ ...life, leaving: false });
    },
    isDead: true,
  },
  'and so is one that was never heard': { after: async ({ heartbeats }) => heartbeats.beat({ ...newYou, leaving: false }), isDead: true },
  'the newer life of a node lives beside an older one': {
    after: async ({ heartbeats }) => {
      for (const life of [newYou, you]) heartbeats.beat({ ...life, leaving: false });
    },
    of: newYou,
    isDead: false,
  },
  'a newer life that has left does not end an older one': {
    after: async ({ heartbeats }) => {
      heartbeats.beat({ ...newYou, leaving: true });
      heartbeats.beat({ ...you, leaving: false });
    },
    isDead: false,
  },
  'a newer life that has fallen silent does not end an older one that is heard': {
    after: async ({ heartbeats, beatFor }) => {
      heartbeats.beat({ ...newYou, leaving: false });
      await beatFor(you, silenceLimitMs);
    },
    isDead: false,
  },
  'who was never heard lives when it is asked for first': { after: ({ clock }) => clock.pass(60 * second), isDead: false },
  'who was never heard is dead 8 s after it was asked for first': {
    after: async ({ clock, liveness }) => {
      liveness.isDead(you.incarnation);
      await clock.pass(silenceLimitMs);
    },
    isDead: true,
  },
  'its own life is never dead to a node': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.isAway = true;
      await clock.pass(60 * second);
      heartbeats.isAway = false;
      heartbeats.beat({ ...lifeOf('me', 4), leaving: false });
      heartbeats.beat({ ...me, leaving: true });
    },
    of: me,
    isDead: false,
  },
  'an earlier life of its own node is dead at once': { after: async () => undefined, of: lifeOf('me', 2), isDead: true },
  'who does not hear itself judges nobody, not even who said goodbye': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.beat({ ...you, leaving: true });
      heartbeats.isAway = true;
      await clock.pass(ownSilenceLimitMs);
    },
    isDead: false,
  },
  'who hears itself again does not count the silence from before': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.beat({ ...you, leaving: false });
      heartbeats.isAway = true;
      await clock.pass(60 * second);
      heartbeats.isAway = false;
      await clock.pass(silenceLimitMs - heartbeatEveryMs);
    },
    isDead: false,
  },
  'but counts it from then on': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.beat({ ...you, leaving: false });
      heartbeats.isAway = true;
      await clock.pass(60 * second);
      heartbeats.isAway = false;
      await clock.pass(silenceLimitMs + heartbeatEveryMs);
    },
    isDead: true,
  },
  'a gap in the hearing that is shorter than its limit starts no count anew': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.beat({ ...you, leaving: false });
      heartbeats.isAway = true;
      await clock.pass(heartbeatEveryMs + 1);
      heartbeats.isAway = false;
      await clock.pass(silenceLimitMs - heartbeatEveryMs);
    },
    isDead: true,
  },
  'steps of the wall clock count for nothing': {
    after: async ({ heartbeats, clock }) => {
      heartbeats.beat({ ...you, leaving: false });
      clock.step(3_600 * second);
    },
    isDead: false,
  },
  'a text of another form is dead after 8 s, as that of whoever was never heard': {
    after: async ({ clock, liveness }) => {
      liveness.isDead('a life of an embedded server');
      await clock.pass(silenceLimitMs);
    },
    of: { ...you, incarnation: 'a life of an embedded server' },
    isDead: true,
  },
};

for (const [name, { after, of = you, isDead }] of Object.entries(judgements)) {
  test(name, async (t) => {
    const judge = bench();
    await after(judge);
    t.is(judge.liveness.isDead(of.incarnation), isDead);
  });
}

test('a node that was stopped wakes up and takes nobody for dead, in whatever order its clocks ring and messages come', async (t) => {
  for (const stoppedMs of [3, 4, 5, 6, 60, 3_600].map((seconds) => seconds * second)) {
    const clock = new VirtualClock();
    const heartbeats = new TestHeartbeats();
    // The clock that was stopped: rings are late, but it knows how late it is.
    const asleep: (() => void)[] = [];
    let isStopped = false;
    const stoppable = {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs: number, ring: () => void) => clock.schedule(delayMs, () => (isStopped ? asleep.push(ring) : ring())),
    };
    const liveness = new Liveness({ heartbeats, clock: stoppable, self: me });
    liveness.start();
    heartbeats.beat({ ...you, leaving: false });
    await clock.pass(heartbeatEveryMs - 1);
    isStopped = true;
    await clock.pass(stoppedMs);
    isStopped = false;
    t.false(liveness.isDead(you.incarnation), 'before anything came');
    for (const ring of asleep) ring();
    t.false(liveness.isDead(you.incarnation), 'once it has heard itself');
    heartbeats.beat({ ...you, leaving: false });
    await clock.pass(heartbeatEveryMs);
    t.false(liveness.isDead(you.incarnation), 'once it has heard all');
  }
});

test('heartbeats go out every 2 s from the start on, and a goodbye at the end', async (t) => {
  const { clock, heartbeats, liveness } = bench();
  await clock.pass(2 * heartbeatEveryMs + 1);
  liveness.stop();
  await clock.pass(60 * second);
  liveness.stop();
  t.deepEqual(heartbeats.heard, [false, false, false, true].map((leaving) => ({ ...me, leaving })));
});

test('each death is told once, with its reason: goodbye at once, others with the next heartbeat; who comes back can die again', async (t) => {
  const { clock, heartbeats, liveness, deaths } = bench();
  const other = lifeOf('other', 1);
  const silent = { incarnation: you.incarnation, reason: 'silent' };
  await clock.pass(1);
  heartbeats.beat({ ...you, leaving: false });
  heartbeats.beat({ ...other, leaving: true });
  t.deepEqual(deaths, [[{ incarnation: other.incarnation, reason: 'stopped' }]]);
  liveness.isDead('never heard');
  await clock.pass(silenceLimitMs + heartbeatEveryMs);
  t.deepEqual(deaths.slice(1), [[silent, { incarnation: 'never heard', reason: 'silent' }]]);
  await clock.pass(60 * second);
  heartbeats.beat({ ...you, leaving: false });
  t.is(deaths.length, 2);
  await clock.pass(60 * second);
  t.deepEqual(deaths.slice(2), [[silent]]);
  heartbeats.beat({ ...you, leaving: false });
  heartbeats.beat({ ...newYou, leaving: false });
  await clock.pass(heartbeatEveryMs);
  t.deepEqual(deaths.slice(3), [[{ incarnation: you.incarnation, reason: 'restarted' }]]);
});

test('after a gap in the hearing, deaths are told again: what was offered meanwhile came to nothing', async (t) => {
  const { clock, heartbeats, deaths } = bench();
  heartbeats.beat({ ...you, leaving: true });
  heartbeats.isAway = true;
  await clock.pass(60 * second);
  t.is(deaths.length, 1);
  heartbeats.isAway = false;
  await clock.pass(heartbeatEveryMs);
  const stopped = { incarnation: you.incarnation, reason: 'stopped' };
  t.deepEqual(deaths, [[stopped], [stopped]]);
});

test('who is silent for an hour is forgotten; should somebody ask for it again, it is dead 8 s later', async (t) => {
  const { clock, heartbeats, liveness, deaths } = bench();
  heartbeats.beat({ ...you, leaving: false });
  await clock.pass(forgetAfterMs + 60 * second);
  t.is(deaths.length, 1);
  t.false(liveness.isDead(you.incarnation), 'as of one that it has never heard');
  await clock.pass(silenceLimitMs + heartbeatEveryMs);
  t.true(liveness.isDead(you.incarnation));
  t.is(deaths.length, 2);
});

test('whatever the number of nodes, so many are remembered; who was forgotten is not taken for dead', async (t) => {
  const { clock, heartbeats, liveness } = bench();
  await clock.pass(60 * second);
  for (let index = 0; index <= knownLimit; index += 1) heartbeats.beat({ ...lifeOf(`n${index}`, 1), leaving: true });
  t.false(liveness.isDead('n0.1'));
  t.true(liveness.isDead(`n${knownLimit}.1`));
});
