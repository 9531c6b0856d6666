import { constants } from 'node:os';
import { awaitNamespaceEnd } from './await-namespace-end.ts';
import { fullCommand, weakCommand, type ConfiningTools } from './confine.ts';
import { giveUserBack, lendForReading, lendForWriting, takeUser } from './lend-file.ts';
import type { RunSandboxed, SandboxEnding } from './sandbox.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { startProgram, type OnStart, type ProgramEnding } from './start-program.ts';

/** Whether the service is root: then programs get a user of their own. */
const isRoot = process.getuid?.() === 0;

/** Runs jobs with all that bubblewrap gives, or without it where there is none. */
export function runSandboxed(tools: ConfiningTools, onStart: OnStart): RunSandboxed {
  const filter = seccompFilter(process.arch);
  return async (job, signal) => {
    const user = isRoot ? takeUser() : undefined;
    const giveBack: (() => void)[] = [];
    let info = '';
    try {
      if (user !== undefined) {
        for (const { fd, access } of job.files) {
          if (access === 'read') lendForReading(fd);
          else giveBack.push(lendForWriting(fd, user));
        }
      }
      const [command, ...args] = tools.bwrap === undefined
        ? weakCommand(tools, job, user)
        : fullCommand(tools.bwrap, tools, job, user, filter !== undefined);
      const inherited = tools.bwrap === undefined
        ? job.files.map(({ fd }) => fd)
        : [(text: string) => { info += text; }, ...(filter === undefined ? [] : [filter])];
      return endingOf(await startProgram({ name: job.program.name, command, args, inherited, onOutput: job.onOutput }, onStart, signal));
    } finally {
      try {
        await awaitNamespaceEnd(info);
      } finally {
        for (const step of giveBack) step();
        if (user !== undefined) giveUserBack(user);
      }
    }
  };
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** bubblewrap ends with 128 and the number of the signal that its program died of; what confines speaks under its own name. */
function endingOf(ending: ProgramEnding): SandboxEnding {
  if (ending.kind !== 'exited') return ending;
  const { code, errorTail } = ending;
  if (code > 128 && code < 128 + 65) return { kind: 'signaled', signal: signalNames.get(code - 128) ?? `signal ${code - 128}`, errorTail };
  return code !== 0 && /^(?:bwrap|setpriv|prlimit): /m.test(errorTail) ? { kind: 'broken', errorTail } : ending;
}
