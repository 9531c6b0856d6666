import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import { beginBuild, openProjections, type Build } from './open-projections.ts';
import { messageOf, orExplain } from './or-explain.ts';
import { unpackRecords, type PackedRecords } from './packed-records.ts';
import { packVerdicts } from './packed-verdicts.ts';
import type { ProjectionSettings } from './projection.ts';
import { Projector } from './projector.ts';
import { RecordJudge } from './record-judge.ts';
import type { FromReplica, ToReplica } from './replica-messages.ts';

/**
 * The replica thread of a node of a cluster: it alone writes the projections, so that no commit ever waits in the main
 * thread. Where there are none yet it builds them from what it judges, until it is told that all of the log was judged.
 */
class ReplicaThread {
  readonly #folder: string;
  readonly #settings: ProjectionSettings;
  readonly #judge: RecordJudge;
  #build: Build | undefined;
  #db: Database;

  /** `folder` is that of the projections. */
  constructor(folder: string, settings: ProjectionSettings) {
    this.#folder = folder;
    this.#settings = settings;
    this.#build = beginBuild(folder, projections);
    this.#db = this.#build?.db ?? openProjections(folder, projections);
    const projector = new Projector(this.#db, projections, settings);
    this.#judge = new RecordJudge(projector);
    send({ kind: 'opened', isBuilding: this.#build !== undefined, places: [...projector.places.values()] });
  }

  handle(message: ToReplica): void {
    switch (message.kind) {
      case 'judge':
        return this.#judgeBatch(message.packed);
      case 'catchUp':
        orFail(() => { this.#catchUp(); }, this.#folder);
        return;
      case 'close':
        this.#db.close();
        send({ kind: 'closed' });
        return parentPort?.close();
      default:
        message satisfies never;
    }
  }

  #judgeBatch(packed: PackedRecords): void {
    try {
      const { verdicts, ...rest } = this.#judge.judge(unpackRecords(packed));
      send({ kind: 'judged', verdicts: packVerdicts(verdicts), ...rest });
    } catch (cause) {
      send({ kind: 'refused', message: messageOf(cause) });
    }
  }

  #catchUp(): void {
    if (this.#build !== undefined) {
      this.#build.finish();
      this.#build = undefined;
      this.#db = openProjections(this.#folder, projections);
      this.#judge.continueOn(new Projector(this.#db, projections, this.#settings));
    }
    send({ kind: 'caughtUp' });
  }
}

function send(message: FromReplica): void {
  parentPort?.postMessage(message);
}

/** What fails is told as a message, which keeps its place behind what was sent before; an exception would overtake it. */
function orFail(open: () => void, folder: string): void {
  try {
    orExplain(open, (problem) =>
      `The projections cannot be opened or built: ${problem}. Delete the folder ${folder}: it is built anew from the log.`);
  } catch (cause) {
    send({ kind: 'failed', message: messageOf(cause) });
    parentPort?.close();
  }
}

const { folder, settings } = workerData as { folder: string; settings: ProjectionSettings };
const projectionsFolder = join(folder, 'projections');
orFail(() => {
  const thread = new ReplicaThread(projectionsFolder, settings);
  parentPort?.on('message', (message: ToReplica) => { thread.handle(message); });
}, projectionsFolder);
