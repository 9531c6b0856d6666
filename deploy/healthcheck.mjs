// Whether the node in this container is ready: exit code 0 or 1. The image has no curl.

/** Shorter than the time-out of HEALTHCHECK, so that the reason is said. */
const answerTimeoutMs = 4_000;

const url = `http://127.0.0.1:${process.env.LEHR_HTTP_PORT ?? '8080'}/readyz`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
  console.log(response.status, (await response.text()).trim());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.log(`${url} does not answer: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
