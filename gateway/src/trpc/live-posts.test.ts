import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import type { StratosRouter } from '@stratos/schema/trpc';
import { createTRPCClient, httpSubscriptionLink, TRPCClientError } from '@trpc/client';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Gateway, startGateway } from '../service.ts';
import { briefSession } from '../testing/brief-session.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { type Answer, authorization, send } from '../testing/send.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

/** Answered by the gateway, and by the library: it reads the name in the address more broadly. */
const [OURS, LIBRARY] = ['livePosts', 'live%50osts'];

let gateway: TestGateway;
let stage: LiveStage;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
});

test('tells what the library would tell, in its form, to the last word', async () => {
  const alice = await stage.reader('alice', 'art', 'writers');
  const streams = [OURS, LIBRARY].map((name) => new Stream(gateway.url, name, alice.token));
  const both = async (type: string) => {
    for (const stream of streams) await stream.until(type);
  };
  await both('opened');
  const post = await stage.post('one', ['art', 'closed'], { text: 'line\nline 🦋' });
  await both('post');
  await stage.happenings.edit(post, { boundaries: stage.boundaries('writers') });
  await stage.happenings.remove(await stage.post('two', ['writers']));
  await both('removed');
  await stage.member(alice.did, 'writers');
  await both('boundaryClosed');
  await stage.member(alice.did);
  const [ours, librarys] = await Promise.all(streams.map((stream) => stream.whole));
  const types = ours?.map(({ event, data }) => event ?? data.type);
  expect([types?.at(0), ...(types?.slice(-3) ?? [])]).toEqual([
    'connected',
    'boundaryClosed',
    'closed',
    'return',
  ]);
  expect(ours).toEqual(librarys);
});

test('ends as the library does when the gateway goes away, so that clients come back', async () => {
  const alice = await stage.reader('alice', 'art');
  const other = await startGateway({ ...gateway.config, port: 0 });
  const streams = [OURS, LIBRARY].map(
    (name) => new Stream(`http://localhost:${other.port}`, name, alice.token),
  );
  for (const stream of streams) await stream.until('opened');
  await other[Symbol.asyncDispose]();
  const [ours, librarys] = await Promise.all(streams.map((stream) => stream.whole));
  expect(ours?.map(({ event, data }) => event ?? data.type)).toEqual(['connected', 'opened']);
  expect(ours).toEqual(librarys);
});

test('ends with the session that opened it', async () => {
  const alice = stage.person('alice');
  await gateway.world.member(alice.did, stage.node, stage.boundaries('art'));
  const stream = new Stream(gateway.url, OURS, await briefSession(gateway, alice.did, 2));
  const events = await stream.whole;
  expect(events.slice(-2)).toMatchObject([
    { data: { type: 'closed', reason: 'sessionExpired' } },
    { event: 'return' },
  ]);
});

test.each([
  ['INVALID_CURSOR', '?input={"lastEventId":"garbage"}'],
  ['INVALID_CURSOR', '?lastEventId=garbage'],
  ['BAD_USER_INPUT', '?input={"boundary":"garbage"}'],
  ['BAD_USER_INPUT', '?input={"more":1}'],
  ['BAD_USER_INPUT', '?input={'],
  ['BAD_USER_INPUT', '?batch=1&input={}'],
  ['UNAUTHENTICATED', ''],
] as const)('refuses with %s as the library does: %s', async (code, search) => {
  const alice = await stage.reader('alice', 'art');
  const headers = {
    accept: 'text/event-stream',
    ...authorization(code === 'UNAUTHENTICATED' ? 'garbage' : alice.token),
  };
  const [ours, librarys] = await Promise.all(
    [OURS, LIBRARY].map((name) => answerTo(`${name}${search}`, { headers })),
  );
  expect(ours?.body).toContain(`"reason":"${code}"`);
  expect(ours).toEqual(librarys);
});

test.each(['HEAD', 'POST'])('answers %s as the library does', async (method) => {
  const { token } = await stage.reader('alice', 'art');
  const headers = { ...authorization(token), 'content-type': 'application/json' };
  const [ours, librarys] = await Promise.all(
    [OURS, LIBRARY].map((name) => answerTo(name, { method, headers })),
  );
  expect(ours).toEqual(librarys);
});

test('has the library refuse what has no address', async () => {
  const { hostname, port } = new URL(gateway.url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.end('GET /trpc/livePosts HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
});

test('gives the place of a stream back when its reader goes', async () => {
  const { token } = await stage.reader('alice', 'art');
  const stream = new Stream(gateway.url, OURS, token);
  await stream.until('opened');
  expect(await openStreams()).toBe('1');
  stream.stop();
  await vi.waitFor(async () => expect(await openStreams()).toBe('0'));
});

test('its client comes back by itself with the last event it has, and is told all that it missed, once', async () => {
  const { token } = await stage.reader('alice', 'art');
  let other = await startGateway({ ...gateway.config, port: 0 });
  const { port } = other;
  const seen: { type: string; text: string | undefined }[] = [];
  const subscription = clientAt(port, token).livePosts.subscribe(undefined, {
    onData: ({ data }) =>
      seen.push({ type: data.type, text: data.type === 'post' ? data.post.text : undefined }),
  });
  await stage.post('zero', ['art']);
  await vi.waitFor(() => expect(seen.map(({ type }) => type)).toContain('opened'), 5_000);
  await stage.post('one', ['art']);
  await vi.waitFor(() => expect(seen.at(-1)?.text).toBe('one'), 5_000);
  await other[Symbol.asyncDispose]();
  await stage.post('two', ['art']);
  other = await listenAgain(port);
  await stage.post('three', ['art']);
  await vi.waitFor(() => expect(seen.at(-1)?.text).toBe('three'), 15_000);
  const texts = seen.flatMap(({ text }) => text ?? []).filter((text) => text !== 'zero');
  expect(texts).toEqual(['one', 'two', 'three']);
  subscription.unsubscribe();
  await other[Symbol.asyncDispose]();
});

test('its client is given errors with their codes', async () => {
  const { token } = await stage.reader('alice', 'art');
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const { port } = new URL(gateway.url);
  clientAt(Number(port), token).livePosts.subscribe(
    { lastEventId: 'garbage' },
    { onError: resolve },
  );
  const error = await promise;
  if (!(error instanceof TRPCClientError)) throw new Error('no error of the client');
  expect(error.data).toMatchObject({ reason: 'INVALID_CURSOR', code: 'BAD_REQUEST' });
});

/** A whole answer, but for how it is cut into pieces. */
async function answerTo(path: string, init: Parameters<typeof send>[1]): Promise<Answer> {
  const answer = await send(`${gateway.url}/trpc/${path}`, init);
  const { 'transfer-encoding': _pieces, 'content-length': _length, ...headers } = answer.headers;
  return { ...answer, headers };
}

function clientAt(port: number, token: string) {
  return createTRPCClient<StratosRouter>({
    links: [
      httpSubscriptionLink({
        url: `http://localhost:${port}/trpc`,
        EventSource,
        eventSourceOptions: {
          fetch: (url: string | URL, init: RequestInit) =>
            fetch(url, { ...init, headers: { ...init.headers, ...authorization(token) } }),
        },
      }),
    ],
  });
}

function listenAgain(port: number): Promise<Gateway> {
  return vi.waitFor(() => startGateway({ ...gateway.config, port }), 5_000);
}

async function openStreams(): Promise<string | undefined> {
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  return /^stratos_gateway_streams (\d+)/m.exec(metrics)?.[1];
}

interface SentEvent {
  event?: string;
  id?: string;
  data: { type?: string };
}

/** A subscription as bytes, and the events that they are. */
class Stream {
  readonly whole: Promise<SentEvent[]>;
  readonly #events: SentEvent[] = [];
  readonly #stop = new AbortController();

  constructor(url: string, name: string, token: string) {
    this.whole = this.#read(url, name, token);
  }

  /** Waits for an event of a type. */
  async until(type: string): Promise<void> {
    await vi.waitFor(
      () => expect(this.#events.map(({ data }) => data.type)).toContain(type),
      5_000,
    );
  }

  stop(): void {
    this.#stop.abort();
  }

  async #read(url: string, name: string, token: string): Promise<SentEvent[]> {
    const response = await fetch(`${url}/trpc/${name}`, {
      headers: { ...authorization(token), accept: 'text/event-stream' },
      signal: this.#stop.signal,
    });
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split(/\n\n+/);
        rest = blocks.pop() ?? '';
        this.#events.push(...blocks.filter((block) => block !== ':').map(parse));
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
    return this.#events;
  }
}

function parse(block: string): SentEvent {
  const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? []);
  const { data, ...rest } = Object.fromEntries(fields);
  return { ...rest, data: data ? JSON.parse(data) : {} };
}
