import type { IncomingHttpHeaders } from 'node:http';

import test from 'ava';

import { hostOf, loopbackHosts } from '../../../src/api/http/allowed-hosts.ts';
import { guard } from '../../../src/api/http/guard.ts';

const hosts: readonly (readonly [header: string | undefined, host: string | undefined])[] = [
  ['localhost', 'localhost'],
  ['LOCALHOST:8080', 'localhost'],
  ['localhost.:8080', 'localhost'],
  ['127.0.0.1:8080', '127.0.0.1'],
  ['[::1]:8080', '::1'],
  ['[::1]', '::1'],
  [undefined, undefined],
  ['', undefined],
  ['a b', undefined],
  ['user@localhost', undefined],
  ['localhost/evil', undefined],
  ['::1', undefined],
  ['localhost:99999999', undefined],
];

for (const [header, host] of hosts) {
  test(`Host ${JSON.stringify(header)} names ${host ?? 'nothing'}`, (t) => {
    t.is(hostOf(header), host);
  });
}

const fetchSite = (site: string, mode = 'no-cors'): IncomingHttpHeaders => ({ 'sec-fetch-site': site, 'sec-fetch-mode': mode });

const verdicts: readonly (readonly [headers: IncomingHttpHeaders, verdict: string])[] = [
  [{ host: 'localhost:8080' }, 'in'],
  [{ host: 'lehr.localhost:8080' }, 'in'],
  [{ host: '127.0.0.1:8080' }, 'in'],
  [{ host: '127.9.9.9' }, 'in'],
  [{ host: '[::1]:8080' }, 'in'],
  [{ host: 'lehr.example:8080' }, 'in'],
  [{ host: 'rebound.evil.example:8080' }, 'HOST_NOT_ALLOWED'],
  [{ host: '127.evil.example' }, 'HOST_NOT_ALLOWED'],
  [{ host: 'localhost.evil.example' }, 'HOST_NOT_ALLOWED'],
  [{ host: 'evillocalhost' }, 'HOST_NOT_ALLOWED'],
  [{ host: '169.254.169.254' }, 'HOST_NOT_ALLOWED'],
  [{ host: '0.0.0.0:8080' }, 'HOST_NOT_ALLOWED'],
  [{}, 'HOST_NOT_ALLOWED'],
  [{ host: 'localhost:8080', origin: 'http://localhost:8080' }, 'in'],
  [{ host: 'lehr.example', origin: 'https://lehr.example' }, 'in'],
  [{ host: 'localhost:8080', origin: 'http://localhost:3000' }, 'ORIGIN_NOT_ALLOWED'],
  [{ host: 'localhost:8080', origin: 'https://evil.example' }, 'ORIGIN_NOT_ALLOWED'],
  [{ host: 'localhost:8080', origin: 'null' }, 'ORIGIN_NOT_ALLOWED'],
  [{ host: 'localhost:8080', origin: 'https://console.example' }, 'in, CORS for https://console.example'],
  [{ host: 'rebound.evil.example', origin: 'https://console.example' }, 'HOST_NOT_ALLOWED'],
  [{ host: 'localhost:8080', ...fetchSite('none', 'navigate') }, 'in'],
  [{ host: 'localhost:8080', ...fetchSite('same-origin') }, 'in'],
  [{ host: 'localhost:8080', ...fetchSite('cross-site') }, 'ORIGIN_NOT_ALLOWED'],
  [{ host: 'localhost:8080', ...fetchSite('same-site') }, 'ORIGIN_NOT_ALLOWED'],
  [{ host: 'localhost:8080', ...fetchSite('cross-site', 'navigate') }, 'in'],
];

const allowed = { hosts: loopbackHosts(['Lehr.example']), origins: new Set(['https://console.example']) };

for (const [headers, expected] of verdicts) {
  test(`a request with ${JSON.stringify(headers)} is ${expected}`, (t) => {
    const verdict = guard(headers, allowed);
    if ('refusal' in verdict) t.deepEqual([verdict.refusal.code, verdict.refusal.reason], ['PERMISSION_DENIED', expected]);
    else t.is(verdict.corsOrigin === undefined ? 'in' : `in, CORS for ${verdict.corsOrigin}`, expected);
  });
}
