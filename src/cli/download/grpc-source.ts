import type { Api } from '../api.ts';
import type { ByteSource } from './byte-source.ts';

/** Reads an image through `ReadImage`. */
export function grpcSource(api: Api, id: string): ByteSource {
  return {
    async* read(offset, signal) {
      for await (const { data } of api.readImage({ id, offset, length: 0n }, signal)) yield data;
    },
  };
}
