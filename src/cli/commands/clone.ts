import { Command } from 'commander';

import type { CreateTaskRequest } from '../../gen/lehr/v1/task_service.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { createTask } from '../create-task.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseDurationMs } from '../parse/parse-duration.ts';
import { collectPair, collectWord } from '../parse/parse-pair.ts';
import { taskFields, type TaskOptions } from '../task-options.ts';
import { tellAccepted } from '../tell-accepted.ts';
import { tellInOrder } from '../tell-in-order.ts';

interface CloneOptions extends TaskOptions {
  readonly from?: string;
  readonly name?: string;
  readonly tag?: readonly string[];
  readonly property?: Readonly<Record<string, string>>;
}

const examples = `
Examples:
  $ lehr clone 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --name web-2 --wait   # shares the stored bytes
  $ lehr clone --from dfw 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --wait     # a region of the setting regions
  $ lehr clone --from dfw 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --property tier=gold

Name, tags and properties come along from the image; what is given here goes before them.`;

/** `lehr clone IMAGE`. */
export function cloneCommand(run: Runner): Command {
  return new Command('clone')
    .summary('clone an image')
    .description('Clone an image, within this region or from another one. Within a region the clone shares the stored bytes; from another ' +
      'region they are fetched, and proven to be what that region says of them.')
    .argument('<image>', 'the image\'s id')
    .option('--from <region>', 'the region that has the image, by its name in the setting regions (default: this one)')
    .option('-n, --name <name>', 'the clone\'s name (default: that of the image)')
    .option('-l, --label <key=value>', 'a label to find the task by; may be repeated', collectPair)
    .option('-t, --tag <tag>', 'a tag instead of those of the image; may be repeated', collectWord)
    .option('-p, --property <key=value>', 'a property beside those of the image, or instead of one; may be repeated', collectPair)
    .option('--ttl <duration>', 'how long the task stays listed after it ended, such as 48h', parseDurationMs)
    .option('--request-id <id>', 'the same id never makes a second task (default: a new one for each call)')
    .option('--validate-only', 'check the request, but accept nothing')
    .option('-w, --wait', 'wait until the task has ended, showing its progress')
    .addHelpText('after', examples)
    .action((image: string, options: CloneOptions, command: Command) =>
      run(command, (context) => cloneImage(context, image, options)));
}

async function cloneImage(context: CommandContext, imageId: string, options: CloneOptions): Promise<ExitCode> {
  const { task } = await createTask(context, requestFor(imageId, options, context.newId));
  return options.validateOnly === true ? tellInOrder(context, task) : tellAccepted(context, task, options.wait === true);
}

function requestFor(imageId: string, options: CloneOptions, newId: () => string): CreateTaskRequest {
  return {
    spec: {
      kind: {
        $case: 'cloneImage',
        value: {
          sourceRegion: options.from ?? '',
          imageId,
          image: { name: options.name ?? '', tags: [...(options.tag ?? [])], properties: { ...options.property } },
        },
      },
    },
    ...taskFields(options, newId),
  };
}
