import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LiveClient } from '../testing/live-client.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const POSTS = 120;
const NAMES = ['art', 'writers', 'music'];

interface Replica {
  url: string;
  process: ChildProcess;
}

let gateway: TestGateway;
let replicas: Replica[] = [];

beforeAll(async () => {
  gateway = await startTestGateway();
  replicas = await Promise.all([0, 1, 2].map(startReplica));
}, 60_000);
afterAll(async () => {
  for (const { process } of replicas) process.kill('SIGKILL');
  await gateway[Symbol.asyncDispose]();
});

test('readers lose nothing and get nothing twice while one of three gateways is killed', async () => {
  const stage = await LiveStage.on(gateway);
  const written: { text: string; boundaries: string[] }[] = [];
  let isOver = false;
  const readers = await Promise.all(
    Array.from({ length: 9 }, async (_, index) => {
      const names = NAMES.filter((_, place) => (index + place) % 3 !== 0);
      const { token } = await stage.reader(`reader${'abcdefghi'[index]}`, ...names);
      return { names, token, index };
    }),
  );
  const opened = readers.map(() => Promise.withResolvers<void>());
  const following = readers.map(async ({ names, token, index }) => {
    const seen: string[] = [];
    let cursor: string | undefined;
    const wanted = () =>
      written.filter(({ boundaries }) => boundaries.some((b) => names.includes(b)));
    for (let attempt = index; !isOver || seen.length < wanted().length; attempt++) {
      const { url } = replicas[attempt % replicas.length] ?? { url: '' };
      const client = await LiveClient.open(url, token, { after: cursor }).catch(() => undefined);
      if (!client) continue;
      opened[index]?.resolve();
      const until = Date.now() + 50 + Math.random() * 400;
      while (Date.now() < until && !client.isClosed) await sleep(5);
      seen.push(...client.texts);
      cursor = client.cursor;
      await client[Symbol.asyncDispose]();
    }
    expect(seen).toEqual(wanted().map(({ text }) => text));
  });
  await Promise.all(opened.map(({ promise }) => promise));
  for (let index = 0; index < POSTS; index++) {
    const boundaries = NAMES.filter((_, place) => index % 3 === place || index % 5 === place);
    const text = `post${index}`;
    written.push({ text, boundaries });
    await stage.post(text, boundaries);
    if (index === POSTS / 2) replicas[1]?.process.kill('SIGKILL');
  }
  isOver = true;
  await Promise.all(following);
}, 120_000);

async function startReplica(): Promise<Replica> {
  const main = new URL('../main.ts', import.meta.url).pathname;
  const { config } = gateway;
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      DATABASE_URL: config.databaseUrl,
      GATEWAY_PORT: '0',
      GATEWAY_PUBLIC_URL: config.publicUrl,
      APPVIEW_DID: config.appViewDid,
      APPVIEW_KEY_FILE: config.appViewKeyFile,
      STRATOS_PLC_URL: config.plcUrl,
      STRATOS_DEV_MODE: 'true',
    },
  });
  const [line] = await once(child.stdout, 'data');
  return { url: `http://localhost:${JSON.parse(line).port}`, process: child };
}
