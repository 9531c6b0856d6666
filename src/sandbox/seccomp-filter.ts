import { endianness } from 'node:os';

/**
 * System calls by number, for x86_64 and for arm64 (Linux, arch/x86/entry/syscalls/syscall_64.tbl and
 * include/uapi/asm-generic/unistd.h), which no converter of files needs: the network, other processes, mounts and namespaces, memory
 * that no limit counts, and parts of the kernel in which most of its escapes were found.
 */
const forbiddenCalls: readonly (readonly [x64: number, arm64: number])[] = [
  // socket, socketpair
  [41, 198], [53, 199],
  // ptrace, process_vm_readv, process_vm_writev, pidfd_open, pidfd_getfd, kcmp
  [101, 117], [310, 270], [311, 271], [434, 434], [438, 438], [312, 272],
  // unshare, setns, mount, umount2, pivot_root, chroot
  [272, 97], [308, 268], [165, 40], [166, 39], [155, 41], [161, 51],
  // fsopen, fsconfig, fsmount, fspick, move_mount, open_tree, mount_setattr
  [430, 430], [431, 431], [432, 432], [433, 433], [429, 429], [428, 428], [442, 442],
  // memfd_create, memfd_secret, shmget, msgget, semget, mq_open
  [319, 279], [447, 447], [29, 194], [68, 186], [64, 190], [240, 180],
  // keyctl, add_key, request_key, bpf, perf_event_open, userfaultfd, io_uring_setup
  [250, 219], [248, 217], [249, 218], [321, 280], [298, 241], [323, 282], [425, 425],
  // init_module, finit_module, delete_module, kexec_load, kexec_file_load
  [175, 105], [313, 273], [176, 106], [246, 104], [320, 294],
  // open_by_handle_at, name_to_handle_at, quotactl, quotactl_fd, personality, execveat, fanotify_init, syslog
  [304, 265], [303, 264], [179, 60], [443, 443], [135, 92], [322, 281], [300, 262], [103, 116],
];

const machines: Readonly<Record<string, { readonly audit: number; readonly column: 0 | 1; readonly clone: number }>> = {
  x64: { audit: 0xc000003e, column: 0, clone: 56 },
  arm64: { audit: 0xc00000b7, column: 1, clone: 220 },
};

/** clone3 has the same number everywhere. Its flags lie in memory, where no filter sees them; libc falls back to clone on ENOSYS. */
const clone3 = 435;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const namespaceFlags = 0x7e020000;

const eperm = 1;
const enosys = 38;
const allow = 0x7fff0000;
const killProcess = 0x80000000;
const refuseWith = (errno: number): number => 0x00050000 | errno;

/** Instructions of classic BPF: load a word of seccomp_data, jump if equal, if greater or equal, if a bit is set; return. */
const load = 0x20;
const ifEqual = 0x15;
const ifAtLeast = 0x35;
const ifAnyBit = 0x45;
const answer = 0x06;

/** Words of `struct seccomp_data` (little-endian): the number, the machine, the lower half of the first argument. */
const numberAt = 0;
const machineAt = 4;
const firstArgumentAt = 16;

type Instruction = readonly [code: number, value: number, ifTrue?: number, ifFalse?: number];

/**
 * A seccomp filter (`struct sock_filter[]`, seccomp(2)) that answers EPERM to calls which no converter of files makes, and kills
 * a program that calls as another machine. It comes on top of the namespaces, which already leave nothing to reach; so what is
 * not on the list is allowed, and a new libc does not break it. Undefined for machines other than x86_64 and arm64.
 */
export function seccompFilter(arch: string): Uint8Array | undefined {
  const machine = machines[arch];
  if (machine === undefined || endianness() !== 'LE') return undefined;
  const refuseIf = (number: number, errno: number): readonly Instruction[] => [[ifEqual, number, 0, 1], [answer, refuseWith(errno)]];
  const program: readonly Instruction[] = [
    [load, machineAt],
    [ifEqual, machine.audit, 1, 0],
    [answer, killProcess],
    [load, numberAt],
    // The x32 interface of x86_64 has numbers of its own from here on.
    [ifAtLeast, 0x40000000, 0, 1],
    [answer, refuseWith(eperm)],
    ...forbiddenCalls.flatMap((numbers) => refuseIf(numbers[machine.column], eperm)),
    ...refuseIf(clone3, enosys),
    [ifEqual, machine.clone, 0, 3],
    [load, firstArgumentAt],
    [ifAnyBit, namespaceFlags, 0, 1],
    [answer, refuseWith(eperm)],
    [answer, allow],
  ];
  const bytes = Buffer.alloc(8 * program.length);
  program.forEach(([code, value, ifTrue = 0, ifFalse = 0], index) => {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(ifTrue, 8 * index + 2);
    bytes.writeUInt8(ifFalse, 8 * index + 3);
    bytes.writeUInt32LE(value, 8 * index + 4);
  });
  return bytes;
}
