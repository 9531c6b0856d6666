import { fchmodSync, fchownSync, fstatSync } from 'node:fs';

/**
 * Who sandboxed programs are where the service is root: ids that nobody has (systemd's UIDS-GIDS calls 65520 to 65533 unused, and Debian's
 * policy §9.2.2 reserves them). Programs that run at once differ in their user as long as there are enough.
 */
export const sandboxGroup = 65_520;
const firstUser = 65_520;
const userCount = 14;

/** Of a file that the sandboxed group may read. */
const readableMode = 0o640;

/** In another order in each service of a machine, since limits and signals reach whatever else a user has. */
const users = Array.from({ length: userCount }, (_, step) => firstUser + ((process.pid + step) % userCount));
const programsOfUser: number[] = users.map(() => 0);

/** Takes the sandboxed user that fewest programs have now. To be given back. */
export function takeUser(): number {
  const index = programsOfUser.indexOf(Math.min(...programsOfUser));
  programsOfUser[index] = (programsOfUser[index] ?? 0) + 1;
  return users[index] ?? firstUser;
}

/** The program of this user has ended. */
export function giveUserBack(user: number): void {
  const index = users.indexOf(user);
  programsOfUser[index] = (programsOfUser[index] ?? 1) - 1;
}

/**
 * Lets the sandboxed group read an open file that only its owner may read, for good: the nodes of a cluster read one image at once, and
 * none knows when the last of them has ended. The owner stays the same, so a program cannot change the mode. The folders above let
 * nobody through, so nobody gains but a program whose sandbox holds the file.
 */
export function lendForReading(fd: number): void {
  const { uid, gid, mode } = fstatSync(fd);
  if (gid === sandboxGroup && (mode & 0o7777) === readableMode) return;
  setOwner(fd, uid, sandboxGroup, readableMode);
}

/** Gives an open file to a sandboxed user; what is returned takes it back, with the mode that it had: a program may have changed it. */
export function lendForWriting(fd: number, user: number): () => void {
  const { uid, gid, mode } = fstatSync(fd);
  setOwner(fd, user, sandboxGroup, 0o600);
  return () => setOwner(fd, uid, gid, mode);
}

/** The mode comes last: a change of owner clears bits of it. */
function setOwner(fd: number, uid: number, gid: number, mode: number): void {
  fchownSync(fd, uid, gid);
  fchmodSync(fd, mode & 0o7777);
}
