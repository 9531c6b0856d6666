/** How a stream of bytes is compressed: RFC 1952, the xz format 1.2, RFC 8878, bzip2 1.0. */
export type StreamCodec = 'gzip' | 'xz' | 'zstd' | 'bzip2';

/** What an image may come wrapped in: compressed as a whole, or as the one disk of an OVA (DSP0243). Never in two of them. */
export type Wrapper = StreamCodec | 'ova';
