import { readFileSync } from 'node:fs';

/** The memory that a process has resident, in bytes; 0 where it has just ended, or where the system has no /proc. */
export function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
