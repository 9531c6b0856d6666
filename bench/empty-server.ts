import { Server, ServerCredentials } from '@grpc/grpc-js';

/** An empty grpc-js server: what an answer costs when there is nothing to do. Its one method takes and gives no bytes. */
export const emptyMethod = {
  path: '/bench.Empty/Call',
  requestStream: false,
  responseStream: false,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
} as const;

if (import.meta.main) {
  const server = new Server();
  server.addService({ call: emptyMethod }, {
    call: (_call: unknown, answer: (error: null, bytes: Buffer) => void) => { answer(null, Buffer.alloc(0)); },
  });
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    process.stdout.write(`127.0.0.1:${port}\n`);
  });
  process.on('SIGTERM', () => { server.forceShutdown(); });
}
