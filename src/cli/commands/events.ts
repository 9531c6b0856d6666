import { Command } from 'commander';

import type { StreamEventsResponse } from '../../gen/lehr/v1/event_service.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { escapeText } from '../output/escape-text.ts';
import { formatEventWithSubject } from '../output/event-line.ts';
import { resumeStream } from '../resume-stream.ts';

interface EventsOptions {
  readonly follow?: true;
  readonly from?: string;
  readonly subject?: string;
}

const examples = `
Examples:
  $ lehr events
  $ lehr events --follow --subject tasks/
  $ lehr events --json > audit.ndjson
  $ lehr events --json --follow --from "$(tail -n 1 audit.ndjson | jq -r .token)" >> audit.ndjson

Each line of JSON is {"event": …, "token": …}; the token is where to go on from.`;

/** `lehr events`. */
export function eventsCommand(run: Runner): Command {
  return new Command('events')
    .summary('print the log of all events')
    .description('Print the events of all streams in the order of the log. Goes on by itself, without gaps, when the server restarts.')
    .option('-f, --follow', 'wait for more at the end, until Ctrl-C')
    .option('--from <token>', 'only what came after this token')
    .option('--subject <prefix>', 'only streams whose name begins so: tasks/, images/, tasks/ID')
    .addHelpText('after', examples)
    .action((options: EventsOptions, command: Command) => run(command, (context) => printEvents(context, options)));
}

async function printEvents({ api, output, signal, nowMs }: CommandContext, options: EventsOptions): Promise<ExitCode> {
  const follow = options.follow === true;
  let token = options.from ?? '';
  const messages = resumeStream<StreamEventsResponse>({
    open: (fromToken, inner) => api.streamEvents({ fromToken, follow, subjectPrefix: options.subject ?? '' }, inner),
    tokenOf: (message) => message.token,
    firstToken: token,
    endsByItself: !follow,
    wasReached: false,
    onLost: () => output.note('lehr: the connection to the server was lost; trying again'),
    nowMs,
  }, signal);
  try {
    for await (const message of messages) {
      token = message.token;
      if (output.isJson) await output.json(message);
      else if (message.event !== undefined) await output.lines(formatEventWithSubject(message.event));
    }
    return exitCodes.success;
  } finally {
    if (follow && token !== '') output.note(`go on later with --from ${escapeText(token)}`);
  }
}
