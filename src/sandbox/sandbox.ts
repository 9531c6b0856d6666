import type { Program } from './find-program.ts';
import type { ProgramEnding } from './start-program.ts';

/** An open file that a sandboxed program gets, beside its own libraries the only thing that it sees. */
export interface SandboxFile {
  /** Of the open file; a writable one must be open for reading and writing. Stays open. */
  readonly fd: number;
  /** Its absolute path. */
  readonly path: string;
  /** Its path in the sandbox, in the root folder: `/source`. */
  readonly inside: string;
  readonly access: 'read' | 'write';
}

/** One run of one program. */
export interface SandboxJob {
  readonly program: Program;
  readonly files: readonly SandboxFile[];
  /** The arguments, given the names under which the program finds its files, in the same order. */
  readonly args: (names: readonly string[]) => readonly string[];
  /** No file may grow beyond this. */
  readonly fileBytes: number;
  /** Gets what it prints on standard output, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** How a sandboxed program ended. */
export type SandboxEnding =
  | ProgramEnding
  /** The program did not run: what was to confine it failed, and says why. */
  | { readonly kind: 'broken'; readonly errorTail: string };

/** Runs a job. Rejects with the signal's reason when that aborts: then nothing of the program is left. */
export type RunSandboxed = (job: SandboxJob, signal: AbortSignal) => Promise<SandboxEnding>;

/** What this machine can do; the sentences say what is missing and what to do about it. */
export type Sandbox =
  /** Programs see nothing but their files. */
  | { readonly kind: 'full'; readonly qemuImg: Program; readonly run: RunSandboxed }
  /** Programs have limits and no privileges, but see what the service sees: only where the operator settled for that. */
  | { readonly kind: 'weak'; readonly qemuImg: Program; readonly run: RunSandboxed; readonly missing: string }
  /** No program is started. */
  | { readonly kind: 'none'; readonly missing: string };
