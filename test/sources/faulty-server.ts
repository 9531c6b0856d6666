import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';
import { startBadServer } from './bad-server.ts';

/** What a server has, and how it names the state of that. */
export interface ServedContent {
  readonly bytes: Buffer;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** What was asked, in the parts that matter for going on. */
export interface Asked {
  readonly range?: string;
  readonly ifRange?: string;
}

/** How one request is answered. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, content: ServedContent) => void;

/** The moment at which these servers answer: dates are at rest. */
const answeredAt = 'Thu, 01 Jan 2026 12:00:00 GMT';

function headersOf({ etag, lastModified }: ServedContent): Record<string, string> {
  return {
    date: answeredAt,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
  };
}

/** The first byte that is asked for; undefined: all are. */
function offsetAsked(request: IncomingMessage, content: ServedContent): number | undefined {
  const [, offset] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== content.etag && condition !== content.lastModified) return undefined;
  return offset === undefined ? undefined : Number(offset);
}

/** Sends what is asked for, up to byte `end` of the content, and then does `then` once that is on its way. */
function sendUpTo(end: (content: ServedContent, from: number) => number, then: (response: ServerResponse) => void): Behaviour {
  return (request, response, content) => {
    const { bytes } = content;
    const offset = offsetAsked(request, content);
    const from = offset ?? 0;
    response.writeHead(offset === undefined ? 200 : 206, {
      ...headersOf(content),
      'accept-ranges': 'bytes',
      'content-length': bytes.length - from,
      ...(offset === undefined ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    const part = bytes.subarray(from, Math.max(from, end(content, from)));
    if (part.length === 0) response.flushHeaders();
    response.write(part, () => then(response));
  };
}

const percent = (share: number) => ({ bytes }: ServedContent): number => Math.trunc((bytes.length * share) / 100);

const sendWhole: Behaviour = (_request, response, content) => {
  response.writeHead(200, { ...headersOf(content), 'content-length': content.bytes.length }).end(content.bytes);
};

/** Answers with a part of another content, or another part, however the header says it. */
function sendOtherPart(changed: (offset: number, content: ServedContent) => Record<string, string>): Behaviour {
  return (request, response, content) => {
    const offset = offsetAsked(request, content) ?? 0;
    const { length } = content.bytes;
    response.writeHead(206, { ...headersOf(content), 'content-range': `bytes ${offset}-${length - 1}/${length}`, ...changed(offset, content) });
    response.end(content.bytes.subarray(offset));
  };
}

/** Ways to answer, by name; each is one that was met, or that RFC 9110 allows and nobody expects. */
export const behaviours = {
  'is well': sendUpTo(({ bytes }) => bytes.length, (response) => response.end()),
  'resets at 10 %': sendUpTo(percent(10), (response) => response.socket?.resetAndDestroy()),
  'closes at 10 %': sendUpTo(percent(10), (response) => response.socket?.end()),
  'closes at 50 %': sendUpTo(percent(50), (response) => response.socket?.end()),
  'closes at 99 %': sendUpTo(percent(99), (response) => response.socket?.end()),
  'closes after another 1.1 MB': sendUpTo((_content, from) => from + 1_100_000, (response) => response.socket?.end()),
  'closes behind its header': sendUpTo(() => 0, (response) => response.socket?.end()),
  'stalls at 50 %': sendUpTo(percent(50), () => undefined),
  'knows no ranges': sendWhole,
  'knows no ranges and closes at 50 %': (_request, response, content) => {
    response.writeHead(200, { ...headersOf(content), 'content-length': content.bytes.length });
    response.write(content.bytes.subarray(0, content.bytes.length / 2), () => response.socket?.end());
  },
  'answers 503': (_request, response) => void response.writeHead(503).end('busy'),
  'answers 503 and asks for half a minute': (_request, response) => void response.writeHead(503, { 'retry-after': '30' }).end('busy'),
  'answers 429 and asks for an hour': (_request, response) => void response.writeHead(429, { 'retry-after': '3600' }).end('busy'),
  'answers 404': (_request, response) => void response.writeHead(404).end('gone'),
  'answers 416': (_request, response, { bytes }) => void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end(),
  'drops the connection': (request) => void request.socket.destroy(),
  'sends another range': sendOtherPart((offset, { bytes }) => ({ 'content-range': `bytes ${offset - 1}-${bytes.length - 1}/${bytes.length}` })),
  'sends a shorter range': sendOtherPart((offset, { bytes }) => ({ 'content-range': `bytes ${offset}-${offset + 9}/${bytes.length}` })),
  'sends a range of another total': sendOtherPart((offset, { bytes }) => ({ 'content-range': `bytes ${offset}-${bytes.length - 1}/${bytes.length + 1}` })),
  'sends a range of an unknown total': sendOtherPart((offset, { bytes }) => ({ 'content-range': `bytes ${offset}-${bytes.length - 1}/*` })),
  'sends a part of another content': sendOtherPart(() => ({ etag: '"other"', 'last-modified': 'Thu, 01 Jan 2026 11:00:00 GMT' })),
  'ends the part early, in chunks': (request, response, content) => {
    const offset = offsetAsked(request, content) ?? 0;
    const { length } = content.bytes;
    response.writeHead(206, { ...headersOf(content), 'content-range': `bytes ${offset}-${length - 1}/${length}` });
    response.write(content.bytes.subarray(offset, offset + 100_000));
    response.end();
  },
  'sends more than the part, in chunks': (request, response, content) => {
    const offset = offsetAsked(request, content) ?? 0;
    const { length } = content.bytes;
    response.writeHead(206, { ...headersOf(content), 'content-range': `bytes ${offset}-${length - 1}/${length}` });
    response.end(Buffer.concat([content.bytes.subarray(offset), Buffer.from('and more')]));
  },
  'sends a page': (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Come back later</html>'),
  'redirects in a circle': (request, response) => void response.writeHead(302, { location: request.url }).end(),
  'redirects to another path': (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
} as const satisfies Readonly<Record<string, Behaviour>>;

export type BehaviourName = keyof typeof behaviours;

/** One answer: how, and from then on of which content. */
export interface Answer {
  readonly how: BehaviourName;
  /** What the server has by then, if that has changed. */
  readonly of?: ServedContent;
}

/** A server that answers one request after the other as told, and all that follow as the last. */
export async function startFaultyServer(
  t: ExecutionContext, content: ServedContent, answers: readonly [Answer, ...Answer[]],
): Promise<{ readonly uri: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  let served = content;
  const { origin } = await startBadServer(t, (request, response) => {
    const answer = answers[asked.length] ?? answers.at(-1)!;
    const { range, 'if-range': ifRange } = request.headers;
    asked.push({ ...(range === undefined ? {} : { range }), ...(ifRange === undefined ? {} : { ifRange: String(ifRange) }) });
    served = answer.of ?? served;
    behaviours[answer.how](request, response, served);
  });
  return { uri: `${origin}/disk?token=secret`, asked };
}
