import type { Failure } from '../../gen/lehr/v1/failure.ts';
import type { ImageProperties, Task, TaskResult, TaskSpec } from '../../gen/lehr/v1/task.ts';
import { formatBytesFully } from './format-bytes.ts';
import { formatPairs } from './format-fields.ts';
import type { Field } from './format-fields.ts';
import { formatTimeFully } from './format-time.ts';
import { compressionName, formatName, kindName, reasonName, stateName } from './names.ts';
import { describeProgress, percentOf } from './progress-view.ts';
import { remedyFor } from './remedies.ts';
import { shownUri } from './shown-uri.ts';

/** Everything about a task, for `lehr tasks show`. */
export function taskFields(task: Task, now: Date): readonly Field[] {
  const time = (value: Date | undefined): string | undefined => (value === undefined ? undefined : formatTimeFully(value, now));
  return [
    ['task', task.id],
    ['state', task.cancelRequested ? `${stateName(task.state)}, cancel requested` : stateName(task.state)],
    ['kind', kindName(task.spec)],
    ...specFields(task.spec),
    ['labels', formatPairs(task.labels)],
    ['owner', task.owner],
    ['progress', progressText(task)],
    ...(task.result === undefined ? [] : resultFields(task.result)),
    ...(task.failure === undefined ? [] : failureFields(task.failure)),
    ['attempt', task.attempt === 0 ? undefined : String(task.attempt)],
    ['next attempt', time(task.retryTime)],
    ['revision', String(task.revision)],
    ['created', time(task.createTime)],
    ['started', time(task.startTime)],
    ['updated', time(task.updateTime)],
    ['ended', time(task.endTime)],
    ['expires', time(task.expireTime)],
  ];
}

function progressText({ progress }: Task): string | undefined {
  if (progress === undefined || progress.stage === '') return undefined;
  const percent = percentOf(progress);
  return [progress.stage, ...(percent === undefined ? [] : [`${percent}%`]), ...describeProgress(progress)].join(', ');
}

function specFields(spec: TaskSpec | undefined): readonly Field[] {
  const kind = spec?.kind;
  switch (kind?.$case) {
    case 'importImage':
      return [
        ['source', shownUri(kind.value.sourceUri)],
        ['declared as', formatName(kind.value.sourceFormat)],
        ['expected', kind.value.expectedDigest],
        ['store as', formatName(kind.value.storeFormat)],
        ['credential', kind.value.credential],
        ...propertyFields(kind.value.image),
      ];
    case 'exportImage':
      return [
        ['image', kind.value.imageId],
        ['destination', shownUri(kind.value.destinationUri)],
        ['format', formatName(kind.value.format)],
        ['compression', compressionName(kind.value.compression)],
        ['credential', kind.value.credential],
      ];
    case 'cloneImage':
      return [['image', kind.value.imageId], ['region', kind.value.sourceRegion], ...propertyFields(kind.value.image)];
    case undefined:
      return [];
    default:
      return kind satisfies never;
  }
}

function propertyFields(image: ImageProperties | undefined): readonly Field[] {
  return image === undefined ? [] : [['name', image.name], ['tags', image.tags.join(', ')], ['properties', formatPairs(image.properties)]];
}

/** What a task made. */
export function resultFields(result: TaskResult): readonly Field[] {
  return [
    ['result', `image ${result.imageId}`],
    ['location', result.location],
    ['format', formatName(result.format)],
    ['size', formatBytesFully(result.sizeBytes)],
    ['digest', result.digest],
    ['guest digest', result.guestDigest],
    ['verified', verifiedText(result)],
  ];
}

/** Only of what was delivered somewhere else there is something to say. */
function verifiedText({ location, verified }: TaskResult): string | undefined {
  if (location === '') return undefined;
  return verified ? 'read back from the destination and compared' : 'no: the destination took it and does not let it be read';
}

/** Why a task failed and what to do about it. */
export function failureFields(failure: Failure): readonly Field[] {
  return [
    ['failure', failure.stage === '' ? reasonName(failure.reason) : `${reasonName(failure.reason)} in stage ${failure.stage}`],
    ['message', failure.message],
    ['details', formatPairs(failure.metadata)],
    ['retryable', failure.retryable ? 'yes' : 'no'],
    ['what to do', remedyFor(failure.reason, failure.metadata['check'])],
  ];
}
