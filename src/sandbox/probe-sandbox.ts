import { quoteOf } from './quote.ts';
import type { ConfiningTools } from './confine.ts';
import { findProgram, searchPathOf, type Program } from './find-program.ts';
import { runSandboxed } from './run-sandboxed.ts';
import type { RunSandboxed, Sandbox } from './sandbox.ts';
import type { OnStart } from './start-program.ts';

/** What is asked of the machine. */
export interface SandboxSettings {
  /** `weak` goes on with limits alone where a full sandbox cannot be had. */
  readonly sandbox: 'required' | 'weak';
  /** Folders with colons between; before those of the system where the caller wants that too (`searchPathOf`). */
  readonly searchPath: string;
  /** Is told of each program that is started, now and later. */
  readonly onStart: OnStart;
}

/** The settings of a service. */
export function serviceSandbox(sandbox: 'required' | 'weak', onStart: OnStart): SandboxSettings {
  return { sandbox, searchPath: searchPathOf(process.env['PATH']), onStart };
}

/** A trial takes milliseconds; a machine on which it takes so long cannot convert. */
const trialTimeoutMs = 20_000;

/**
 * Finds out, by trying, whether qemu-img can be run here and how well confined. Rejects only where the system's own folders cannot
 * be read.
 */
export async function probeSandbox({ sandbox, searchPath, onStart }: SandboxSettings): Promise<Sandbox> {
  const [qemuImg, bwrap, prlimit, setpriv] = await Promise.all(
    ['qemu-img', 'bwrap', 'prlimit', 'setpriv'].map((name) => findProgram(name, searchPath, onStart)),
  );
  if (qemuImg === undefined) return none('qemu-img is missing: install it (Debian: qemu-utils).');
  if (prlimit === undefined || setpriv === undefined) return none('prlimit or setpriv is missing, so qemu-img cannot be confined: install util-linux.');
  const weakTools: ConfiningTools = { bwrap: undefined, prlimit, setpriv };
  const missing = bwrap === undefined
    ? 'bwrap is missing, so qemu-img cannot be isolated: install it (Debian: bubblewrap).'
    : await faultOf(runSandboxed({ ...weakTools, bwrap }, onStart), qemuImg);
  if (missing === undefined) return { kind: 'full', qemuImg, run: runSandboxed({ ...weakTools, bwrap }, onStart) };
  if (sandbox === 'required') return none(`${missing} Or let qemu-img see what the service sees, with the setting sandbox: weak.`);
  const run = runSandboxed(weakTools, onStart);
  const weakFault = await faultOf(run, qemuImg);
  return weakFault === undefined ? { kind: 'weak', qemuImg, run, missing } : none(weakFault);
}

function none(missing: string): Sandbox {
  return { kind: 'none', missing };
}

/** What a trial with `qemu-img --version` fails with. */
async function faultOf(run: RunSandboxed, qemuImg: Program): Promise<string | undefined> {
  let printed = '';
  const job = { program: qemuImg, files: [], args: () => ['--version'], fileBytes: 0, onOutput: (text: string) => { printed += text; } };
  try {
    const ending = await run(job, AbortSignal.timeout(trialTimeoutMs));
    if (ending.kind === 'exited' && ending.code === 0 && printed.startsWith('qemu-img version')) return undefined;
    return `qemu-img cannot be isolated here (${ending.kind === 'flooded' ? 'it printed too much' : quoteOf(ending.errorTail)}): ${remedy}`;
  } catch (error) {
    return `qemu-img cannot be isolated here (${error instanceof Error ? error.message : String(error)}): ${remedy}`;
  }
}

const remedy = process.getuid?.() === 0
  ? 'root needs CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID for that; a container rarely has them.'
  : 'allow this user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; RestrictNamespaces of a unit; the seccomp profile of a container).';
