import { fchmodSync, fchownSync, fstatSync } from 'node:fs';

/**
 * Who sandboxed programs are where the service is root: ids that nobody has (systemd's UIDS-GIDS calls 65520 to 65533 unused, and Debian's
 * policy §9.2.2 reserves them). Programs that run at once differ in their user as long as there are enough.
 */
export const sandboxGroup = 65_520;
const firstUser = 65_520;
const userCount = 14;

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

interface Lent {
  readers: number;
  readonly gid: number;
  readonly mode: number;
}

/** Files that are lent for reading, by device and inode: two programs may read one image, and the last one gives it back as it was. */
const lentFiles = new Map<string, Lent>();

/**
 * Lets the sandboxed group read an open file that only its owner may read; what is returned undoes it. The owner stays the same, so the
 * program cannot change the mode. The folders above let nobody through, so nobody gains but a program whose sandbox holds the file. Neither
 * step may be interrupted by that of another reader, so both are synchronous: each is two changes of one inode.
 */
export function lendForReading(fd: number): () => void {
  const { dev, ino, uid, gid, mode } = fstatSync(fd);
  const key = `${dev}:${ino}`;
  const lent = lentFiles.get(key) ?? { readers: 0, gid, mode };
  if (lent.readers === 0) setOwner(fd, uid, sandboxGroup, (mode & 0o700) | 0o040);
  lent.readers += 1;
  lentFiles.set(key, lent);
  return () => {
    lent.readers -= 1;
    if (lent.readers > 0) return;
    lentFiles.delete(key);
    setOwner(fd, uid, lent.gid, lent.mode);
  };
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
