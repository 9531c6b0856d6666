import { release } from 'node:os';
import { addressSpaceBytes, openFilesLimit, processesLimit } from './bounds.ts';
import type { Program } from './find-program.ts';
import { sandboxGroup } from './lend-file.ts';
import type { SandboxJob } from './sandbox.ts';

/** The programs that confine another, all of util-linux but bubblewrap. */
export interface ConfiningTools {
  readonly bwrap: Program | undefined;
  readonly prlimit: Program;
  readonly setpriv: Program;
}

/** A command with its arguments. */
export type Command = readonly [command: string, ...args: string[]];

/**
 * The command that runs a job in namespaces of its own (mount, pid, net, ipc, uts, cgroup) under a root folder that holds the
 * program, its libraries, /dev/null and the job's files, all read-only but the files to write; without privileges and
 * capabilities, killed when its starter dies. `user` is who it is where the service is root; undefined where a user namespace
 * stands in. Descriptor 3 is told what bubblewrap started; from 4 it reads a filter for system calls.
 */
export function fullCommand(bwrap: Program, tools: ConfiningTools, job: SandboxJob, user: number | undefined, hasFilter: boolean): Command {
  const programs = [job.program, tools.prlimit, tools.setpriv];
  const libraries = [...new Set(programs.flatMap((program) => program.libraries))];
  const readable = [...new Set([...libraries, ...programs.map(({ path }) => path)])];
  return [
    bwrap.path,
    '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent', '--cap-drop', 'ALL',
    // As root these three last until setpriv has used them to give up root itself.
    ...(user === undefined
      ? ['--unshare-user', '--uid', String(sandboxGroup), '--gid', String(sandboxGroup)]
      : ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP']),
    '--hostname', 'sandbox', '--chdir', '/',
    '--info-fd', '3',
    ...(hasFilter ? ['--seccomp', '4'] : []),
    // Folders that bubblewrap makes on the way, as root, let nobody else through.
    ...foldersAbove([...readable, '/dev/null', '/etc/ld.so.cache']).flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...readable.flatMap((path) => ['--ro-bind', path, path]),
    // Libraries in other folders than the usual ones are found by it.
    '--ro-bind-try', '/etc/ld.so.cache', '/etc/ld.so.cache',
    '--dev-bind', '/dev/null', '/dev/null',
    ...job.files.flatMap(({ path, inside, access }) => [access === 'read' ? '--ro-bind' : '--bind', path, inside]),
    '--remount-ro', '/',
    '--',
    ...limits(tools.prlimit, job.fileBytes, user !== undefined || countsPerNamespace),
    ...(user === undefined ? [] : becomeUser(tools.setpriv, user, ['--bounding-set', '-all'])),
    job.program.path, ...job.args(job.files.map(({ inside }) => inside)),
  ];
}

/** The command that runs a job with limits and without privileges and nothing more; its files are inherited as 3, 4 … */
export function weakCommand(tools: ConfiningTools, job: SandboxJob, user: number | undefined): Command {
  return [
    ...limits(tools.prlimit, job.fileBytes, user !== undefined),
    ...(user === undefined ? [tools.setpriv.path, '--no-new-privs', '--inh-caps', '-all'] : becomeUser(tools.setpriv, user, [])),
    '--pdeathsig', 'KILL',
    job.program.path, ...job.args(job.files.map((_, index) => `/dev/fd/${3 + index}`)),
  ];
}

/** Since Linux 5.14 the processes of a user namespace are counted by themselves; before, together with all that the service's user has. */
const countsPerNamespace = Number(release().split('.')[0]) > 5 || /^5\.(?:1[4-9]|[2-9]\d)\b/.test(release());

function limits(prlimit: Program, fileBytes: number, countsProcesses: boolean): Command {
  return [
    prlimit.path, `--as=${addressSpaceBytes}`, `--fsize=${fileBytes}`, `--nofile=${openFilesLimit}`, '--core=0', '--memlock=0', '--msgqueue=0',
    ...(countsProcesses ? [`--nproc=${processesLimit}`] : []),
  ];
}

function becomeUser(setpriv: Program, user: number, more: readonly string[]): readonly string[] {
  return [
    setpriv.path, '--reuid', String(user), '--regid', String(sandboxGroup), '--clear-groups', '--no-new-privs', '--inh-caps', '-all', ...more,
  ];
}

/** Every folder above the paths, each after the one above it. */
function foldersAbove(paths: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of paths) for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) folders.add(path.slice(0, end));
  return [...folders];
}
