import { BinaryReader } from '@bufbuild/protobuf/wire';

import { ApiError } from '../api-error.ts';

/** A generated message type, as far as a request needs it. */
export interface Decoder<Message> {
  decode(input: BinaryReader, length: number): Message;
}

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes the bytes of a request. Throws `ApiError` (INVALID_ARGUMENT, MALFORMED_REQUEST) where they are not such a
 * message: truncated, with text that is no UTF-8, or with bytes after an end that the sender did not mean.
 *
 * Stricter than the generated code by itself, which replaces bad text and stops without a word at a zero tag or at the
 * end of a group: what one door refuses, the others shall not take for something else.
 */
export function decodeRequest<Message>(decoder: Decoder<Message>, bytes: Uint8Array): Message {
  const reader = new BinaryReader(bytes, (text) => strictText.decode(text));
  let message: Message;
  try {
    message = decoder.decode(reader, bytes.length);
  } catch (cause) {
    throw malformedRequest('The bytes of the request are not the message that this method takes.', cause);
  }
  if (reader.pos !== bytes.length) throw malformedRequest('The request holds bytes that belong to no field.');
  return message;
}

/** The refusal for a request that cannot be read at all. */
export function malformedRequest(message: string, cause?: unknown): ApiError {
  return new ApiError('INVALID_ARGUMENT', 'MALFORMED_REQUEST', message, { cause });
}
