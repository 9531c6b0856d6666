import { Client, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

import { BadRequest, ErrorInfo } from '../../src/gen/google/rpc/error_details.ts';
import { Status } from '../../src/gen/google/rpc/status.ts';

/** What a refused caller was told, in one form for every door. */
export interface Told {
  /** Number of google.rpc.Code. */
  readonly code: number;
  readonly message: string;
  /** Every ErrorInfo that came. */
  readonly infos: readonly { readonly reason: string; readonly domain: string; readonly metadata: Readonly<Record<string, string>> }[];
  readonly violations: readonly { readonly field: string; readonly description: string }[];
}

/** Calls a method with the bytes of a request and gives what it was refused with; throws where it was not. */
export type Refused = (path: string, request: Uint8Array) => Promise<Told>;

const connectCodes = ['ok', 'canceled', 'unknown', 'invalid_argument', 'deadline_exceeded', 'not_found', 'already_exists', 'permission_denied',
  'resource_exhausted', 'failed_precondition', 'aborted', 'out_of_range', 'unimplemented', 'internal', 'unavailable', 'data_loss',
  'unauthenticated'];

const asIs = (bytes: Buffer): Buffer => bytes;

/** A grpc-js client that sends and receives bytes as they are. */
export const rawClient = (port: number): Client => new Client(`127.0.0.1:${port}`, credentials.createInsecure());

/** Refusals over gRPC, unary. */
export function overGrpc(client: Client): Refused {
  return (path, request) => new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(request), (error) => {
      if (error === null) reject(new Error('not refused'));
      else resolve(toldByGrpc(error));
    });
  });
}

/** Refusals over gRPC, at the end of a stream. */
export function overGrpcStream(client: Client): Refused {
  return (path, request) => new Promise((resolve, reject) => {
    client.makeServerStreamRequest(path, asIs, asIs, Buffer.from(request))
      .on('data', () => undefined)
      .on('end', () => reject(new Error('not refused')))
      .on('error', (error: ServiceError) => resolve(toldByGrpc(error)));
  });
}

/** Reads the status of a gRPC error from its trailers, and checks that both notations of it agree. */
export function toldByGrpc({ code: status, details, metadata }: ServiceError): Told {
  const code: number = status;
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return { code, message: details, infos: [], violations: [] };
  const told = toldByStatus(Status.decode(bytes));
  if (told.code !== code || told.message !== details) throw new Error(`grpc-status is ${code} (${details}), Status ${told.code} (${told.message})`);
  return told;
}

function toldByStatus({ code, message, details }: Status): Told {
  return toldByDetails(code, message, details.map(({ typeUrl, value }) => ({ type: typeUrl.replace('type.googleapis.com/', ''), value })));
}

function toldByDetails(code: number, message: string, details: readonly { readonly type: string; readonly value: Uint8Array }[]): Told {
  const of = (type: string): Uint8Array[] => details.filter((detail) => detail.type === type).map(({ value }) => value);
  return {
    code,
    message,
    infos: of('google.rpc.ErrorInfo').map((value) => ErrorInfo.decode(value)),
    violations: of('google.rpc.BadRequest').flatMap((value) => BadRequest.decode(value).fieldViolations)
      .map(({ field, description }) => ({ field, description })),
  };
}

/** Refusals over Connect, unary, binary requests. */
export const overConnect = (base: string): Refused => async (path, request) =>
  toldByConnect(await post(base + path, 'application/proto', request));

/** Refusals over Connect, at the end of a stream. */
export const overConnectStream = (base: string): Refused => async (path, request) =>
  toldByEndOfStream(await post(base + path, 'application/connect+proto', enveloped(request)));

/** Refusals over gRPC-Web, of either kind of method. */
export const overGrpcWeb = (base: string): Refused => async (path, request) =>
  toldByGrpcWeb(await post(base + path, 'application/grpc-web+proto', enveloped(request)));

/** A POST of bytes. */
export const post = (url: string, type: string, body: Uint8Array | string): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) });

/** A message as streams and gRPC-Web send it: flags, length, bytes. */
export function enveloped(message: Uint8Array | string, flags = 0): Buffer {
  const bytes = Buffer.from(message);
  const header = Buffer.alloc(5);
  header.writeUInt8(flags);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

interface ConnectErrorJson {
  readonly code: string;
  readonly message?: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

/** Reads Connect's error JSON. */
export async function toldByConnect(response: Response): Promise<Told> {
  if (response.status === 200) throw new Error('not refused');
  return toldByJson(await response.json() as ConnectErrorJson);
}

/** Reads the last envelope of a Connect stream. */
export async function toldByEndOfStream(response: Response): Promise<Told> {
  const { error } = JSON.parse((await lastEnvelope(response)).toString()) as { readonly error?: ConnectErrorJson };
  if (error === undefined) throw new Error('not refused');
  return toldByJson(error);
}

function toldByJson({ code, message = '', details = [] }: ConnectErrorJson): Told {
  return toldByDetails(connectCodes.indexOf(code), message, details.map(({ type, value }) => ({ type, value: Buffer.from(value, 'base64') })));
}

/** Reads the trailers of gRPC-Web, in the body or, where there is none, in the headers. */
export async function toldByGrpcWeb(response: Response): Promise<Told> {
  const inHeaders = response.headers.get('grpc-status-details-bin');
  if (inHeaders !== null) return toldByStatus(Status.decode(Buffer.from(inHeaders, 'base64')));
  const trailers = new Map((await lastEnvelope(response)).toString().trim().split('\r\n')
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
  if (trailers.get('grpc-status') === '0') throw new Error('not refused');
  return toldByStatus(Status.decode(Buffer.from(trailers.get('grpc-status-details-bin') ?? '', 'base64')));
}

async function lastEnvelope(response: Response): Promise<Buffer> {
  let rest = Buffer.from(await response.arrayBuffer());
  let last = Buffer.alloc(0);
  while (rest.length > 0) {
    const end = 5 + rest.readUInt32BE(1);
    last = rest.subarray(5, end);
    rest = rest.subarray(end);
  }
  return last;
}
