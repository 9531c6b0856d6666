import type { Event, StageCompleted } from '../../gen/lehr/v1/event.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import type { ImageProperties } from '../../gen/lehr/v1/task.ts';
import { escapeText } from './escape-text.ts';
import { formatBytes } from './format-bytes.ts';
import { formatPairs } from './format-fields.ts';
import { formatDuration, formatTime } from './format-time.ts';
import { formatName, kindName, reasonName } from './names.ts';
import { shownUri } from './shown-uri.ts';

/** The width of the longest event's name. */
const typeWidth = 'CancelRequested'.length;

/** An event of one stream on one line: revision, time, type, what matters most. */
export function formatEvent(event: Event): string {
  const time = event.time === undefined ? '' : formatTime(event.time);
  const type = event.type.replace(/^lehr\.v1\./, '').padEnd(typeWidth);
  return `${String(event.revision).padStart(3)}  ${time.padEnd(24)}  ${escapeText(type)}  ${escapeText(factsOf(event))}`.trimEnd();
}

/** The same with the stream that the event belongs to, for lists over many streams. */
export function formatEventWithSubject(event: Event): string {
  return `${escapeText(event.subject).padEnd(43)}  ${formatEvent(event)}`;
}

function factsOf({ payload }: Event): string {
  switch (payload?.$case) {
    case 'taskCreated': {
      const kind = payload.value.spec?.kind;
      const source = kind?.$case === 'importImage' ? shownUri(kind.value.sourceUri) : (kind?.value.imageId ?? '');
      const target = kind?.$case === 'exportImage' ? ` to ${shownUri(kind.value.destinationUri)}` : '';
      const region = kind?.$case === 'cloneImage' && kind.value.sourceRegion !== '' ? ` from ${kind.value.sourceRegion}` : '';
      return joined([`${kindName(payload.value.spec)} ${source}${target}${region}`, ...formatPairs(payload.value.labels)]);
    }
    case 'attemptStarted':
      return `attempt ${payload.value.attempt} on ${payload.value.node}`;
    case 'stageCompleted':
      return stageFacts(payload.value);
    case 'imageStored':
    case 'imageRegistered': {
      const { image, format, sizeBytes, digest, warnings } = payload.value;
      return joined([image?.name, formatName(format), formatBytes(sizeBytes), digest, ...warnings]);
    }
    case 'attemptFailed': {
      const { attempt, failure, retryTime } = payload.value;
      return joined([`attempt ${attempt}`, failureText(failure), retryTime && `next at ${formatTime(retryTime)}`]);
    }
    case 'taskSucceeded':
      return joined([payload.value.result && `image ${payload.value.result.imageId}`, payload.value.result?.location]);
    case 'taskFailed':
      return failureText(payload.value.failure);
    case 'imageUpdated':
      return propertiesText(payload.value.image);
    case 'cancelRequested':
    case 'taskCanceled':
    case 'taskExpired':
    case 'imageDeleted':
      return '';
    case undefined:
      return 'of a kind that this command line does not know';
    default:
      return payload satisfies never;
  }
}

function stageFacts(stage: StageCompleted): string {
  return joined([
    `${stage.stage}${stage.duration === undefined ? '' : ` in ${formatDuration(stage.duration)}`}`,
    stage.bytes === 0n ? '' : formatBytes(stage.bytes),
    formatName(stage.format),
    stage.virtualSizeBytes === 0n ? '' : `disk of ${formatBytes(stage.virtualSizeBytes)}`,
    stage.digest,
    ...stage.warnings,
    ...formatPairs(stage.facts),
  ]);
}

function failureText(failure: Failure | undefined): string {
  return failure === undefined ? '' : `${reasonName(failure.reason)}: ${failure.message}`;
}

function propertiesText(image: ImageProperties | undefined): string {
  return image === undefined ? '' : joined([image.name, ...image.tags, ...formatPairs(image.properties)]);
}

function joined(texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== '').join(', ');
}
