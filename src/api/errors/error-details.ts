import { BadRequest, ErrorInfo } from '../../gen/google/rpc/error_details.ts';
import type { ApiError } from '../api-error.ts';
import { fittingEntries } from './shorten.ts';

/** The `domain` of every ErrorInfo of this service. */
export const errorDomain = 'lehr';

/** One detail of an error: a message of google.rpc in bytes, and the same as JSON for people. */
export interface ErrorDetail {
  /** Full name of the message, such as `google.rpc.ErrorInfo`. */
  readonly type: string;
  readonly value: Uint8Array<ArrayBuffer>;
  readonly debug: ErrorInfoJson | BadRequestJson;
}

/** ErrorInfo in protobuf's JSON. A type rather than an interface, so that it is assignable to JSON values. */
export type ErrorInfoJson = { readonly reason: string; readonly domain: string; readonly metadata: Record<string, string> };

/** BadRequest in protobuf's JSON. */
export type BadRequestJson = { readonly fieldViolations: { readonly field: string; readonly description: string }[] };

/** The details of a refusal: exactly one ErrorInfo, and one BadRequest where fields are to blame. Bounded in size. */
export function errorDetails(refusal: ApiError): readonly ErrorDetail[] {
  const metadata: Record<string, string> = Object.fromEntries(fittingEntries(Object.entries(refusal.metadata)));
  const info = { reason: refusal.reason, domain: errorDomain, metadata };
  const detail = { type: 'google.rpc.ErrorInfo', value: encoded(ErrorInfo.encode(ErrorInfo.create(info))), debug: info };
  if (refusal.violations.length === 0) return [detail];
  const fieldViolations = fittingEntries(refusal.violations.map(({ field, description }) => [field, description]))
    .map(([field, description]) => ({ field, description }));
  const badRequest = BadRequest.encode(BadRequest.create({ fieldViolations }));
  return [detail, { type: 'google.rpc.BadRequest', value: encoded(badRequest), debug: { fieldViolations } }];
}

const encoded = (writer: { finish(): Uint8Array }): Uint8Array<ArrayBuffer> => new Uint8Array(writer.finish());
