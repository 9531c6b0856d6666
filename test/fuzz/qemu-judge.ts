import { closeSync, openSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { GuestDigest } from '../../src/formats/guest/guest-digest.ts';
import { readGuestBlocks } from '../../src/formats/guest/guest-blocks.ts';
import { plainDisk } from '../../src/formats/guest/guest-disk.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import type { Sandbox, SandboxFile } from '../../src/sandbox/sandbox.ts';
import { FileReader } from '../formats/file-reader.ts';
import { difference } from './difference.ts';
import type { Difference, QemuAnswer } from './difference.ts';
import type { RoundReport } from './messages.ts';

type UsableSandbox = Extract<Sandbox, { kind: 'full' | 'weak' }>;

const drivers: Readonly<Partial<Record<DiskFormat, string>>> = {
  DISK_FORMAT_RAW: 'raw',
  DISK_FORMAT_QCOW2: 'qcow2',
  DISK_FORMAT_VMDK: 'vmdk',
  DISK_FORMAT_VHD: 'vpc',
  DISK_FORMAT_VHDX: 'vhdx',
  DISK_FORMAT_VDI: 'vdi',
  DISK_FORMAT_ISO: 'raw',
};

/** Disks larger than this are not compared; those of the corpus have 16 MiB. */
export const comparedDiskBytes = 64n * 2n ** 20n;

/** One of so many raw images and discs is compared. */
const rawSample = 16;

/** What qemu-img is given for one command. */
const timeoutMs = 60_000;

/** How a command ended; -1 where it did not by itself. */
interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly message: string;
}

/** Asks qemu-img, in the sandbox, about images that were judged, and tells where it judges otherwise. */
export class QemuJudge {
  readonly #sandbox: UsableSandbox;
  readonly #image: string;
  readonly #output: string;

  /** `name` must be its own in `folder`. */
  constructor(sandbox: UsableSandbox, folder: string, name: string) {
    this.#sandbox = sandbox;
    this.#image = join(folder, `${name}.image`);
    this.#output = join(folder, `${name}.raw`);
  }

  /** Undefined: qemu-img agrees, or would be asked something that is no question of formats. */
  async compare(round: RoundReport): Promise<Difference | undefined> {
    const { verdict, bytes, format, seed } = round;
    if (verdict === undefined || bytes === undefined || bytes.length === 0) return undefined;
    const driver = drivers[verdict.kind === 'accepted' ? verdict.format : format] ?? 'raw';
    // Of a raw image qemu-img can only copy the bytes: seldom is often enough.
    if (driver === 'raw' && seed % rawSample !== 0) return undefined;
    if (verdict.kind === 'refused' && (driver === 'raw' || !isJudgement(verdict.failure.metadata['check'] ?? '', format))) return undefined;
    writeFileSync(this.#image, bytes, { mode: 0o600 });
    try {
      return difference(seed, driver, verdict, await this.#ask(driver, verdict.kind === 'refused'));
    } finally {
      await Promise.all([this.#image, this.#output].map((path) => rm(path, { force: true })));
    }
  }

  async #ask(driver: string, checks: boolean): Promise<QemuAnswer> {
    const info = await this.#run(['info', '--output=json', '-f', driver]);
    if (info.code !== 0) return { failed: 'info', message: info.message };
    const { 'virtual-size': virtualSize } = JSON.parse(info.stdout) as { readonly 'virtual-size': number };
    const virtualSizeBytes = BigInt(virtualSize);
    if (virtualSizeBytes > comparedDiskBytes) return { virtualSizeBytes };
    if (checks && (driver === 'qcow2' || driver === 'vdi' || driver === 'vhdx' || driver === 'vmdk')) {
      const check = await this.#run(['check', '-f', driver]);
      // 3: leaks alone.
      if (check.code !== 0 && check.code !== 3) return { failed: 'check', message: check.message };
    }
    writeFileSync(this.#output, '', { mode: 0o600 });
    const convert = await this.#run(['convert', '-f', driver, '-O', 'raw'], this.#output);
    if (convert.code !== 0) return { failed: 'convert', message: convert.message };
    return { virtualSizeBytes, guestDigest: this.#digest() };
  }

  async #run(args: readonly string[], output?: string): Promise<Ran> {
    const files: SandboxFile[] = [{ fd: openSync(this.#image, 'r'), path: this.#image, inside: '/source', access: 'read' }];
    if (output !== undefined) files.push({ fd: openSync(output, 'r+'), path: output, inside: '/target', access: 'write' });
    let stdout = '';
    try {
      const { qemuImg: program, run } = this.#sandbox;
      const job = { program, files, args: (names: readonly string[]) => [...args, ...names], fileBytes: 2 * Number(comparedDiskBytes) };
      const ending = await run({ ...job, onOutput: (text) => { stdout += text; } }, AbortSignal.timeout(timeoutMs));
      if (ending.kind === 'exited') return { code: ending.code, stdout, message: ending.errorTail };
      return { code: -1, stdout, message: ending.kind === 'signaled' ? `died of ${ending.signal}` : ending.kind };
    } catch (error) {
      return { code: -1, stdout, message: `was stopped: ${String(error)}` };
    } finally {
      for (const { fd } of files) closeSync(fd);
    }
  }

  #digest(): string {
    const reader = new FileReader(this.#output);
    try {
      const digest = new GuestDigest();
      const disk = plainDisk(BigInt(reader.sizeBytes), reader.sizeBytes);
      for (const _ of readGuestBlocks(reader, disk, (index, block) => digest.take(index, block)));
      return digest.finish();
    } finally {
      reader.close();
    }
  }
}

/** Whether a check judges an image of the format, and not what it is or what is in it: about that qemu-img has no opinion. */
function isJudgement(check: string, format: DiskFormat): boolean {
  const own = `${format.replace('DISK_FORMAT_', '').toLowerCase()}.`;
  return check.startsWith(own) || check === 'truncated' || check === 'compressed_data';
}
