import { afterEach, expect, test } from 'vitest';
import { type HealthSource, startHealthServer } from './health-server.ts';

const PASSWORD = 'correct-horse';

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

async function serve(
  options: { password?: string; devMode?: boolean } = {},
  source: Partial<HealthSource> = {},
) {
  const { password, devMode = false } = options;
  const server = opened.use(
    await startHealthServer(
      { host: '127.0.0.1', port: 0, password, devMode },
      {
        isReady: async () => true,
        status: async () => ({ nodes: {} }),
        metrics: async () => 'a_metric 1\n',
        ...source,
      },
    ),
  );
  return async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

const basic = (password: string, user = 'admin') => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

test('says whether it runs, works, and where it is', async () => {
  const get = await serve({}, { isReady: async () => false });
  expect(await get('/health')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  expect(await get('/ready')).toMatchObject({ status: 503 });
  expect(await get('/status')).toMatchObject({ status: 200, text: '{"nodes":{}}' });
  expect(await get('/elsewhere')).toMatchObject({ status: 404 });
  expect((await get('/health')).headers.get('cache-control')).toBe('no-store');
});

test('is not ready, and says no more, when it cannot find out', async () => {
  const fails = () => Promise.reject(new Error('postgres://hunter2'));
  const get = await serve({ devMode: true }, { isReady: fails, status: fails, metrics: fails });
  for (const path of ['/ready', '/status', '/metrics']) {
    expect(await get(path)).toMatchObject({ status: 503, text: '{"error":"Unavailable"}' });
  }
  expect((await get('/health')).status).toBe(200);
});

test('tells the metrics to who has the password', async () => {
  const get = await serve({ password: PASSWORD });
  const refused = await get('/metrics');
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    401,
    'Basic realm="admin"',
  ]);
  expect((await get('/metrics', basic(PASSWORD, 'root'))).status).toBe(401);
  const told = await get('/metrics', basic(PASSWORD));
  expect(told).toMatchObject({ status: 200, text: 'a_metric 1\n' });
  expect(told.headers.get('content-type')).toContain('version=0.0.4');
  expect((await get('/metrics', { authorization: `Bearer ${PASSWORD}` })).status).toBe(200);
});

test('tells them to nobody where there is no password', async () => {
  const get = await serve();
  expect((await get('/metrics')).status).toBe(401);
  expect((await get('/metrics', basic(''))).status).toBe(401);
  expect((await get('/metrics', basic('undefined'))).status).toBe(401);
});

test('tells them to this machine in development, but not through a proxy', async () => {
  const get = await serve({ devMode: true });
  expect((await get('/metrics')).status).toBe(200);
  expect((await get('/metrics', { 'x-forwarded-for': '203.0.113.9' })).status).toBe(401);
});

test('looks at no password any more after five wrong ones', async () => {
  const get = await serve({ password: PASSWORD });
  for (let i = 0; i < 5; i++) expect((await get('/metrics', basic(`${i}`))).status).toBe(401);
  expect((await get('/metrics', basic(PASSWORD))).status).toBe(429);
  expect((await get('/health')).status).toBe(200);
});
