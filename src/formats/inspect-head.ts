import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { edgesOfHead } from './reading/edges.ts';
import { recognise, wrapperOf } from './recognise.ts';
import { ImageRefusedError, refuse } from './refuse.ts';
import type { Wrapper } from './wrapper.ts';

export { headBytes } from './reading/edges.ts';

/**
 * The early answer while bytes still stream, called once. `head` is the first `headBytes` of the content, or all of it
 * if it is shorter; more than that is not looked at. Undefined: nothing speaks against it so far. A refusal is final,
 * since `inspect` would refuse the whole as well, and the transfer is cut off. Never throws, whatever the bytes.
 */
export function inspectHead(head: Uint8Array, declared: DiskFormat): Failure | undefined {
  const edges = edgesOfHead(head);
  return failureOf(() => recognise(edges, declared).checkHead(edges.head, edges.sizeBytes));
}

/** What the head shows of content that may come wrapped. `wrapper`: what the image, of which nothing is known yet, is in. */
export type HeadVerdict = { readonly wrapper: Wrapper | undefined } | { readonly refusal: Failure };

/** As `inspectHead`, but what can be unwrapped passes: the declared format is that of the image inside. */
export function inspectWrappedHead(head: Uint8Array, declared: DiskFormat): HeadVerdict {
  const wrapper = wrapperOf(edgesOfHead(head));
  const refusal = wrapper === undefined ? inspectHead(head, declared) : undefined;
  return refusal === undefined ? { wrapper } : { refusal };
}

/** As `inspectHead`, for what came out of a wrapper: another one is refused. */
export function inspectUnwrappedHead(head: Uint8Array, declared: DiskFormat): Failure | undefined {
  const wrapper = wrapperOf(edgesOfHead(head));
  if (wrapper === undefined) return inspectHead(head, declared);
  return failureOf(() => refuse('compressed.nested', `The content is wrapped twice: inside is ${names[wrapper]}.`, { offset: 0, value: wrapper }));
}

const names: Readonly<Record<Wrapper, string>> = {
  gzip: 'gzip-compressed data', xz: 'xz-compressed data', zstd: 'zstd-compressed data', bzip2: 'bzip2-compressed data', ova: 'an OVA archive',
};

function failureOf(judge: () => void): Failure | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    if (error instanceof ImageRefusedError) return error.failure;
    throw error;
  }
}
