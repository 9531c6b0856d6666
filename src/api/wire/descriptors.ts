import { readFileSync } from 'node:fs';

import type { DescMethod, FileRegistry } from '@bufbuild/protobuf';
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

/** The method of a path such as `/lehr.v1.TaskService/GetTask`; throws where the descriptors are older than the code. */
export function describeMethod(registry: FileRegistry, path: string): DescMethod {
  const [, service = '', name] = path.split('/');
  const method = registry.getService(service)?.methods.find((candidate) => candidate.name === name);
  if (method === undefined) throw new Error(`descriptors.binpb does not describe ${path}; run npm run generate.`);
  return method;
}
