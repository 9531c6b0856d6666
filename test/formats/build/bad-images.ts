import { badGeneral } from './bad-general.ts';
import type { BadImage } from './bad-image.ts';
import { badIso } from './bad-iso.ts';
import { badNested } from './bad-nested.ts';
import { badQcow2 } from './bad-qcow2.ts';
import { badVdi } from './bad-vdi.ts';
import { badVhd } from './bad-vhd.ts';
import { badVhdx } from './bad-vhdx.ts';
import { badVmdk } from './bad-vmdk.ts';

/** Images that must be refused; every check has one at least. */
export const badImages: readonly BadImage[] = [
  ...badGeneral,
  ...badQcow2,
  ...badVmdk,
  ...badVhd,
  ...badVhdx,
  ...badVdi,
  ...badIso,
  ...badNested,
];
