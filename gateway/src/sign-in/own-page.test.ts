import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { isFromOwnPage } from './own-page.ts';

const OWN = 'https://gateway.example.com';
const JSON_BODY = { 'content-type': 'application/json' };

function isOwn(method: string, headers: Record<string, string>): boolean {
  const request = Object.assign(new IncomingMessage(new Socket()), { method, headers });
  return isFromOwnPage(request, [OWN]);
}

test.each<[string, string, Record<string, string>]>([
  [
    'a script that says both',
    'POST',
    { ...JSON_BODY, origin: OWN, 'sec-fetch-site': 'same-origin' },
  ],
  ['a script in an older browser', 'POST', { ...JSON_BODY, origin: OWN }],
  ['a script behind a proxy', 'POST', { ...JSON_BODY, 'sec-fetch-site': 'same-origin' }],
  ['a script that reads', 'GET', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
])('believes %s', (_, method, headers) => {
  expect(isOwn(method, headers)).toBe(true);
});

test.each<[string, string, Record<string, string>]>([
  ['another origin', 'POST', { ...JSON_BODY, origin: 'https://evil.example' }],
  ['another origin of the same site', 'POST', { ...JSON_BODY, origin: 'https://example.com' }],
  [
    'another origin that reads',
    'GET',
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  ],
  ['no origin to speak of', 'POST', { ...JSON_BODY, origin: 'null' }],
  ['another site', 'POST', { ...JSON_BODY, 'sec-fetch-site': 'cross-site' }],
  [
    'another site in our name',
    'POST',
    { ...JSON_BODY, origin: OWN, 'sec-fetch-site': 'cross-site' },
  ],
  ['a page beside ours', 'POST', { ...JSON_BODY, origin: OWN, 'sec-fetch-site': 'same-site' }],
  ['a bookmark', 'POST', { ...JSON_BODY, origin: OWN, 'sec-fetch-site': 'none' }],
  ['nobody', 'POST', JSON_BODY],
  ['nobody who reads', 'GET', {}],
  ['an origin that reads, and no more', 'GET', { origin: OWN }],
  ['a link', 'GET', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }],
  ['a form', 'POST', { 'content-type': 'text/plain', origin: OWN }],
  [
    'a form that looks like JSON',
    'POST',
    { 'content-type': 'text/plain; application/json', origin: OWN },
  ],
  ['an empty form', 'POST', { origin: OWN }],
])('does not believe %s', (_, method, headers) => {
  expect(isOwn(method, headers)).toBe(false);
});
