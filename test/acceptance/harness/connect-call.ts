import { refusalOfConnectError } from './refused.ts';

/** Calls a unary method with JSON over Connect, such as `TaskService/GetTask`. A refusal is thrown as `Refused`. `body` may be any text. */
export async function connectCall(httpUrl: string, method: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${httpUrl}/lehr.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = await response.json() as Record<string, unknown>;
  if (response.status === 200) return answer;
  throw refusalOfConnectError(answer as unknown as Parameters<typeof refusalOfConnectError>[0]);
}
