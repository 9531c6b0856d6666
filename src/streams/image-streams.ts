import { absentImage, decideImage, evolveImage, type ImageCommand, type ImagePayload, type ImageState } from '../domain/image/image.ts';
import { imageSubject } from '../domain/subject.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ReadSide } from './read-side.ts';
import { Streams } from './streams.ts';

/** The streams of images. */
export type ImageStreams = Streams<ImageState, ImageCommand, ImagePayload>;

export function imageStreams(log: EventLog, readSide: ReadSide): ImageStreams {
  return new Streams<ImageState, ImageCommand, ImagePayload>(
    {
      subjectOf: imageSubject,
      stateOf: (stream) => (stream?.kind === 'image' ? stream.state : absentImage),
      decide: decideImage,
      evolve: evolveImage,
    },
    log,
    readSide,
  );
}
