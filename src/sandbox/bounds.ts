/**
 * Address space of a sandboxed program, which bounds its memory too. The pool of qemu-img 7.2 has up to 64 threads with 8 MiB of stack
 * each, and beside it `convert` takes less than 0.4 GiB: with `mallocArenas`, that is; without, it aborted now and then at 2 GiB.
 */
export const addressSpaceBytes = 2 * 2 ** 30;

/** glibc reserves 64 MiB for each of its arenas, and makes eight for each core unless it is told otherwise. */
export const mallocArenas = 2;

/** Open files of a sandboxed program: two images, three standard ones, and what an event loop of qemu takes. */
export const openFilesLimit = 64;

/** Processes and threads of one sandboxed user; qemu-img has 64 threads at most, and two programs may share a user. */
export const processesLimit = 256;

/** A program that prints more than this on either of its outputs is killed; `qemu-img convert -p` prints about 2 KiB. */
export const outputLimitBytes = 2 ** 20;

/** So much of the end of standard error is kept. */
export const errorTailBytes = 4_096;

/** How long a program that was killed is waited for: one that hangs in the kernel, on a dead disk, dies later. */
export const killedWaitMs = 5_000;

/** How long the outputs of a program that has ended are waited for, should something outlive it. */
export const outputWaitMs = 1_000;
