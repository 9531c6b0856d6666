import { readFileSync } from 'node:fs';

import type { FileRegistry } from '@bufbuild/protobuf';
import { createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** The API's descriptors, as buf compiled them from the protos. */
export interface Descriptors {
  readonly registry: FileRegistry;
  /** Each file as FileDescriptorProto bytes, dependencies first: what gRPC reflection serves. */
  readonly files: readonly Buffer[];
}

/** Reads the compiled descriptors that stand beside the generated code, in the checkout and in the package alike. */
export function loadDescriptors(): Descriptors {
  const bytes = readFileSync(new URL('../../gen/descriptors.binpb', import.meta.url));
  const set = fromBinary(FileDescriptorSetSchema, bytes);
  return {
    registry: createFileRegistry(set),
    files: set.file.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file))),
  };
}
