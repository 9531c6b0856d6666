import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';

/** Adds server reflection (v1 and v1alpha) for `services`, described by FileDescriptorProtos in bytes. */
export function addReflection(server: Server, files: readonly Buffer[], services: readonly string[]): void {
  // The package wants what proto-loader makes; of that it reads only the descriptors, which are ours already.
  const definition = { 'lehr.v1': { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos: [...files] } };
  new ReflectionService(definition as ConstructorParameters<typeof ReflectionService>[0], { services: [...services] }).addToServer(server);
}
