import { expect, test } from 'vitest';
import type { XrpcService } from '../http/xrpc.ts';
import { waitUntilVisible } from './wait-until-visible.ts';

const URI = 'at://did:plc:reireireireireireireirei/zone.stratos.feed.post/x';

/** A gateway that answers one after the other, and then always the last. */
function gatewayWith(...answers: [Response, ...Response[]]) {
  let asked = 0;
  const fetch = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? answers[0];
    asked += 1;
    return answer.clone();
  };
  const gateway: XrpcService = { url: 'https://gateway.example', fetch };
  return { gateway, asked: () => asked };
}

const hidden = Response.json({ error: 'RecordNotFound' }, { status: 404 });
const shown = (cid: string) => Response.json({ post: { cid } });

test('waits for any version, or for one', async () => {
  const { gateway } = gatewayWith(hidden, shown('old'), shown('new'));
  expect(await waitUntilVisible(gateway, URI)).toBe(true);
  const next = gatewayWith(hidden, shown('old'), shown('new'));
  expect(await waitUntilVisible(next.gateway, URI, { cid: 'new' })).toBe(true);
  expect(next.asked()).toBe(3);
});

test('ends, having asked less and less often', async () => {
  const { gateway, asked } = gatewayWith(hidden);
  expect(await waitUntilVisible(gateway, URI, { timeoutMs: 300 })).toBe(false);
  expect(asked()).toBeLessThanOrEqual(3);
});

test('waits as long as it is told to', async () => {
  const headers = { 'retry-after': '1' };
  const busy = Response.json({ error: 'RateLimitExceeded' }, { status: 429, headers });
  const { gateway, asked } = gatewayWith(busy);
  expect(await waitUntilVisible(gateway, URI, { timeoutMs: 300 })).toBe(false);
  expect(asked()).toBe(1);
});

test('does not wait for who is not let in, nor when nobody answers', async () => {
  const { gateway } = gatewayWith(Response.json({ error: 'AuthRequired' }, { status: 401 }));
  await expect(waitUntilVisible(gateway, URI)).rejects.toMatchObject({ code: 'AuthRequired' });
  const fetch = () => Promise.reject(new TypeError('fetch failed'));
  const away = waitUntilVisible({ ...gateway, fetch }, URI);
  await expect(away).rejects.toMatchObject({ code: 'Unreachable' });
});

test('stops when it is told to', async () => {
  const { gateway } = gatewayWith(hidden);
  const abort = new AbortController();
  const waiting = waitUntilVisible(gateway, URI, { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 10);
  await expect(waiting).rejects.toThrow('enough');
});
