import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JudgedGateway, startJudgedGateway } from './judged-gateway.ts';

let gateway: JudgedGateway;
beforeAll(async () => {
  gateway = await startJudgedGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const audits = serverAudits({
  url: () => `${gateway.url}/graphql`,
  fetchFn: (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, ...gateway.authorization } }),
});

test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_, audit) => {
  const result = await audit.fn();
  // Any page could make a browser send a GET, so that none is answered.
  const isOfGet = /^MAY (accept|allow) .*GET/.test(audit.name);
  expect(result.status, 'reason' in result ? result.reason : '').toBe(isOfGet ? 'notice' : 'ok');
});
