import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';

import { describeMethod, loadDescriptors } from '../../../src/api/wire/descriptors.ts';
import { refusalOfServiceError } from './refused.ts';

const { registry } = loadDescriptors();

/** Calls a unary method, such as `TaskService/GetTask`, over gRPC, with messages in protobuf's JSON. A refusal is thrown as `Refused`. */
export async function grpcJsonCall(address: string, method: string, request: JsonValue): Promise<JsonObject> {
  const path = `/lehr.v1.${method}`;
  const { input, output } = describeMethod(registry, path);
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1, 'grpc.enable_http_proxy': 0 });
  try {
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(path, Buffer.from, Buffer.from, Buffer.from(toBinary(input, fromJson(input, request))), (error, response) => {
        if (error === null) resolve(response!);
        else reject(refusalOfServiceError(error));
      });
    });
    return toJson(output, fromBinary(output, bytes)) as JsonObject;
  } finally {
    client.close();
  }
}
