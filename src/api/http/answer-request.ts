import { ApiError } from '../api-error.ts';
import type { Incidents } from '../errors/incidents.ts';
import { refusalOf } from '../errors/refusal-of.ts';
import { corsHeaders, preflightHeaders } from './cors.ts';
import type { Exchange, Route } from './exchange.ts';
import type { GuardOptions } from './guard.ts';
import { guard } from './guard.ts';
import { sendRefusal } from './send.ts';

/** Headers of every answer: what is served is neither to be guessed at nor to be embedded by pages of other origins. */
const everywhere = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' } as const;

/** Lets one request in, finds its route and answers it, whatever happens on the way. Never rejects. */
export async function answerRequest(exchange: Exchange, routes: readonly Route[], allowed: GuardOptions,
  incidents: Incidents): Promise<void> {
  const { request, response } = exchange;
  try {
    const verdict = guard(request.headers, allowed);
    setHeaders(exchange, everywhere);
    if ('refusal' in verdict) {
      sendRefusal(exchange, verdict.refusal);
      return;
    }
    setHeaders(exchange, corsHeaders(verdict.corsOrigin));
    await answerRoute(exchange, routes, verdict.corsOrigin !== undefined);
  } catch (thrown) {
    const refusal = refusalOf(thrown, undefined, incidents);
    if (response.headersSent) response.destroy();
    else sendRefusal(exchange, refusal);
  }
}

function setHeaders({ response }: Exchange, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

async function answerRoute(exchange: Exchange, routes: readonly Route[], isCors: boolean): Promise<void> {
  const { request, response, path } = exchange;
  const route = routes.find(({ takes }) => takes(path));
  if (route === undefined) {
    sendRefusal(exchange, ...notFound(path));
  } else if (isCors && request.method === 'OPTIONS') {
    response.writeHead(204, preflightHeaders(route.methods)).end();
  } else if (route.methods.includes(request.method ?? '')) {
    await route.answer(exchange);
  } else {
    const allow = route.methods.join(', ');
    sendRefusal(exchange, new ApiError('UNIMPLEMENTED', 'HTTP_METHOD_NOT_ALLOWED', `${path} takes ${allow}.`), 405, { allow });
  }
}

/** A path of two segments under a dotted name is meant for a method; that is 404 too, as Connect's clients expect. */
function notFound(path: string): readonly [ApiError, number] {
  const isMethod = /^\/[\w]+(?:\.[\w]+)+\/[^/]*$/.test(path);
  return [isMethod
    ? new ApiError('UNIMPLEMENTED', 'METHOD_UNKNOWN', `There is no method ${path}; GET / names the services.`)
    : new ApiError('NOT_FOUND', 'PATH_UNKNOWN', `There is nothing at ${path}; GET / names what there is.`), 404];
}
