import type { ReasonName } from '../domain/failures.ts';

/** What a failed check leads to: the failure's reason, and what the image's owner can do, as a sentence. */
export interface CheckOutcome {
  readonly reason: ReasonName;
  readonly remedy: string;
}

const makeAnew = 'Make the image anew from its source, or fetch it again if the source is sound.';
const fetchAgain = 'Fetch or upload the image again and compare its digest with the publisher\'s.';
const convertFirst = 'Convert it to qcow2 first, for example with `qemu-img convert -O qcow2`.';
const repair = 'Repair it with `qemu-img check -r all`, or make it anew.';
const packAnew = 'Unpack it and make the OVA anew with a plain `tar --format=ustar -cf`: descriptor first, then its files.';
const flatten = 'Merge it with its parent first, for example with `qemu-img convert` into a new image.';

/**
 * Every check by its stable name. The names are part of the contract (`metadata.check` of a failure), so they are never
 * renamed or reused. `docs/reference/checks.md` explains each; a test holds the two together.
 */
export const checkTable = {
  'content.not_a_disk': { reason: 'NOT_A_DISK_IMAGE', remedy: 'Check that the address leads to the image itself.' },
  'content.compressed': { reason: 'NOT_A_DISK_IMAGE', remedy: 'Decompress it first.' },
  'format.mismatch': { reason: 'FORMAT_MISMATCH', remedy: 'Declare the format that was found, or none.' },
  'format.unsupported': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'polyglot': { reason: 'IMAGE_UNSAFE', remedy: 'Convert the image with the tool that made it, so that one format is left.' },
  'nested_format': { reason: 'IMAGE_UNSAFE', remedy: 'Convert the inner image instead, or write its disk into the outer one with `qemu-img convert`.' },
  'truncated': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'compressed_data': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'compressed.corrupt': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'compressed.truncated': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'compressed.trailing_data': { reason: 'IMAGE_CORRUPT', remedy: 'Compress the image again by itself, or fetch it again.' },
  'compressed.unsupported': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Compress it again with the default settings of `gzip`, `xz`, `zstd` or `bzip2`.' },
  'compressed.memory': { reason: 'DECOMPRESSION_LIMIT', remedy: 'Compress it with a smaller window, such as with `xz -9` or `zstd --long=27` at most.' },
  'compressed.too_large': { reason: 'DECOMPRESSION_LIMIT', remedy: 'Shrink the disk, or ask the operator to raise `max-image-bytes`.' },
  'compressed.ratio': { reason: 'DECOMPRESSION_LIMIT', remedy: 'Convert the disk to qcow2, which leaves zeros out, or ask the operator to raise `max-decoded-ratio`.' },
  'compressed.nested': { reason: 'DECOMPRESSION_LIMIT', remedy: 'Take off all but one of the layers.' },
  'virtual_size': { reason: 'IMAGE_UNSAFE', remedy: 'Shrink the disk, or ask the operator to raise `max-virtual-bytes`.' },
  'virtual_size.zero': { reason: 'NOT_A_DISK_IMAGE', remedy: 'Import an image that holds a disk.' },
  'luks.encryption': { reason: 'IMAGE_UNSAFE', remedy: 'Import the decrypted disk; nobody can inspect or scan an encrypted one.' },

  'ova.archive': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'ova.member_name': { reason: 'IMAGE_UNSAFE', remedy: packAnew },
  'ova.member_type': { reason: 'IMAGE_UNSAFE', remedy: packAnew },
  'ova.duplicate_member': { reason: 'IMAGE_UNSAFE', remedy: packAnew },
  'ova.limits': { reason: 'IMAGE_UNSAFE', remedy: packAnew },
  'ova.descriptor': { reason: 'IMAGE_UNSAFE', remedy: 'Export the appliance anew, with a descriptor in UTF-8 without a document type.' },
  'ova.file_reference': { reason: 'IMAGE_UNSAFE', remedy: 'Export the appliance with its disk inside the OVA.' },
  'ova.disk_count': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Unpack it with `tar -xf` and import each disk by itself.' },
  'ova.chunked_file': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Export the appliance without chunks.' },
  'ova.compression': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Export the appliance without compression, or with gzip.' },
  'ova.manifest': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },

  'raw.empty': { reason: 'NOT_A_DISK_IMAGE', remedy: 'Check that the address leads to the image and that it was written in full.' },
  'raw.unrecognised': { reason: 'NOT_A_DISK_IMAGE', remedy: 'Give the disk a partition table or a file system, or ask the operator to set `require-recognised-raw` to off.' },
  'raw.size': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },

  'qcow2.version': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'qcow2.header': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'qcow2.header_extensions': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'qcow2.backing_file': { reason: 'IMAGE_UNSAFE', remedy: flatten },
  'qcow2.data_file': { reason: 'IMAGE_UNSAFE', remedy: 'Convert it to a qcow2 without an external data file.' },
  'qcow2.encryption': { reason: 'IMAGE_UNSAFE', remedy: 'Import the decrypted disk; nobody can inspect or scan an encrypted one.' },
  'qcow2.snapshots': { reason: 'IMAGE_UNSAFE', remedy: 'Delete the internal snapshots, or convert the image, which leaves them behind.' },
  'qcow2.dirty': { reason: 'IMAGE_CORRUPT', remedy: 'Shut the guest down and run `qemu-img check -r all` on the image.' },
  'qcow2.corrupt': { reason: 'IMAGE_CORRUPT', remedy: repair },
  'qcow2.incompatible_features': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'qcow2.compression_type': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Convert it to a qcow2 with zlib or zstd compression.' },
  'qcow2.cluster_bits': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'qcow2.refcount_order': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'qcow2.l1_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'qcow2.refcount_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'qcow2.refcount_block': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'qcow2.refcount': { reason: 'IMAGE_CORRUPT', remedy: repair },
  'qcow2.l2_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'qcow2.l2_entry': { reason: 'IMAGE_CORRUPT', remedy: repair },
  'qcow2.cluster': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'qcow2.compressed': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'qcow2.overlap': { reason: 'IMAGE_CORRUPT', remedy: repair },
  'qcow2.bitmaps_extension': { reason: 'IMAGE_CORRUPT', remedy: 'Remove the bitmaps with `qemu-img bitmap --remove`, or make the image anew.' },

  'vmdk.version': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'vmdk.header': { reason: 'IMAGE_CORRUPT', remedy: 'Transfer it again in binary mode.' },
  'vmdk.capacity': { reason: 'IMAGE_UNSAFE', remedy: makeAnew },
  'vmdk.compression': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'vmdk.grain': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vmdk.grain_directory': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vmdk.descriptor': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vmdk.descriptor_missing': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Convert the whole set of files to one streamOptimized VMDK or qcow2 first.' },
  'vmdk.create_type': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Convert it to a monolithicSparse or streamOptimized VMDK, or to qcow2, first.' },
  'vmdk.extents': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Convert the whole set of files to one streamOptimized VMDK or qcow2 first.' },
  'vmdk.extent_type': { reason: 'IMAGE_UNSAFE', remedy: 'Convert it to a streamOptimized VMDK, which keeps its data in itself.' },
  'vmdk.extent_path': { reason: 'IMAGE_UNSAFE', remedy: 'Convert it to a streamOptimized VMDK, which refers to no other file.' },
  'vmdk.parent': { reason: 'IMAGE_UNSAFE', remedy: flatten },
  'vmdk.footer': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vmdk.marker': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vmdk.grain_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vmdk.grain_entry': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vmdk.redundant_tables': { reason: 'IMAGE_CORRUPT', remedy: 'Repair it with `vmware-vdiskmanager -R`, or make it anew.' },
  'vmdk.overlap': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },

  'vhd.checksum': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhd.footer': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhd.disk_type': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Convert it to a fixed or dynamic VHD, or to qcow2, first.' },
  'vhd.differencing': { reason: 'IMAGE_UNSAFE', remedy: 'Merge it with its parent first, for example with `Merge-VHD`.' },
  'vhd.dynamic_header': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhd.block_size': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhd.block_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhd.block': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhd.overlap': { reason: 'IMAGE_UNSAFE', remedy: makeAnew },
  'vhd.sector_bitmap': { reason: 'IMAGE_UNSAFE', remedy: 'Convert it to a fixed VHD with the program that made it, for example with `Convert-VHD`.' },
  'vhd.size': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },

  'vhdx.header': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhdx.log': { reason: 'IMAGE_CORRUPT', remedy: 'Mount it once (`Mount-VHD`, or `qemu-img check -r all`), so that its log is replayed.' },
  'vhdx.region_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhdx.metadata': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhdx.required_unknown': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'vhdx.parent': { reason: 'IMAGE_UNSAFE', remedy: 'Merge it with its parent first, for example with `Merge-VHD`.' },
  'vhdx.block_size': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhdx.sector_size': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhdx.virtual_size': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhdx.block_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhdx.block_state': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vhdx.block': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vhdx.overlap': { reason: 'IMAGE_UNSAFE', remedy: makeAnew },

  'vdi.version': { reason: 'FORMAT_UNSUPPORTED', remedy: 'Clone it with `VBoxManage clonemedium`, or convert it to qcow2, first.' },
  'vdi.header': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'vdi.image_type': { reason: 'IMAGE_UNSAFE', remedy: 'Clone the current state into a full image with `VBoxManage clonemedium`.' },
  'vdi.parent': { reason: 'IMAGE_UNSAFE', remedy: 'Clone the current state into a full image with `VBoxManage clonemedium`.' },
  'vdi.block_size': { reason: 'FORMAT_UNSUPPORTED', remedy: convertFirst },
  'vdi.block_table': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vdi.size': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vdi.block_entry': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
  'vdi.overlap': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },

  'iso.descriptor': { reason: 'IMAGE_CORRUPT', remedy: makeAnew },
  'iso.truncated': { reason: 'IMAGE_CORRUPT', remedy: fetchAgain },
} as const satisfies Readonly<Record<string, CheckOutcome>>;

/** The stable name of a check. */
export type CheckName = keyof typeof checkTable;
