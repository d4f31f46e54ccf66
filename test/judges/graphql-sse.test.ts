import { LIVE_QUERY, LiveStage, type SeenEvent, startTestGateway } from '@stratos/gateway/testing';
import { type Client, type ClientOptions, createClient } from 'graphql-sse';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CuttableRelay } from '../oracle/cuttable-relay.ts';

interface Seen {
  events: SeenEvent[];
  failures: unknown[];
  isComplete: boolean;
  stop: () => void;
}

const TOKEN_HEADER = 'x-graphql-event-stream-token';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
let relay: CuttableRelay;
let stage: LiveStage;
let authorization: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  relay = await CuttableRelay.open(gateway.url);
});
afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
  authorization = `Bearer ${(await stage.reader('alice', 'art', 'writers')).token}`;
});

/** A client that knows the gateway by the address of the relay. */
function open(options: Partial<ClientOptions<boolean>> = {}): Client<boolean> {
  const { singleConnection = false } = options;
  return createClient({
    url: `${relay.url}/graphql${singleConnection ? '/stream' : ''}`,
    headers: { authorization },
    retryAttempts: 0,
    ...options,
  } as ClientOptions<boolean>);
}

function follow(client: Client<boolean>, variables: Record<string, unknown> = {}): Seen {
  const seen: Seen = { events: [], failures: [], isComplete: false, stop: () => {} };
  seen.stop = client.subscribe<{ posts: SeenEvent }>(
    { query: LIVE_QUERY, variables },
    {
      next: ({ data, errors }) => {
        if (data) seen.events.push(data.posts);
        if (errors) seen.failures.push(...errors);
      },
      error: (error) => seen.failures.push(error),
      complete: () => {
        seen.isComplete = true;
      },
    },
  );
  return seen;
}

function textsOf({ events }: Seen): string[] {
  return events.flatMap(({ post }) => (post ? [post.text] : []));
}

async function hasBegun({ events }: Seen): Promise<void> {
  await vi.waitFor(() => expect(events[0]?.__typename).toBe('StreamOpened'), 5_000);
}

async function hasSeen(seen: Seen, texts: string[]): Promise<void> {
  await vi.waitFor(() => expect(textsOf(seen)).toEqual(texts), 8_000);
}

describe.each([false, true])('with one connection for all: %s', (singleConnection) => {
  test('each subscription is told its own, until it is stopped', async () => {
    const client = open({ singleConnection });
    const all = follow(client);
    const writers = follow(client, { boundary: stage.boundary('writers') });
    await Promise.all([hasBegun(all), hasBegun(writers)]);
    await stage.post('one', ['art']);
    await stage.post('two', ['writers']);
    await hasSeen(all, ['one', 'two']);
    await hasSeen(writers, ['two']);
    writers.stop();
    await stage.post('three', ['writers']);
    await hasSeen(all, ['one', 'two', 'three']);
    expect(textsOf(writers)).toEqual(['two']);
    await vi.waitFor(() => expect(writers.isComplete).toBe(true));
    expect([...all.failures, ...writers.failures]).toEqual([]);
    all.stop();
    await vi.waitFor(() => expect(all.isComplete).toBe(true));
    client.dispose();
  });

  test('a query is answered once', async () => {
    const client = open({ singleConnection });
    const answers: unknown[] = [];
    const query = '{ boundaries { name } }';
    for await (const answer of client.iterate({ query })) answers.push(answer);
    expect(answers).toEqual([{ data: { boundaries: [{ name: 'art' }, { name: 'writers' }] } }]);
    client.dispose();
  });

  test('what does not hold is told as an error of the query, by its code', async () => {
    const client = open({ singleConnection });
    const seen = follow(client, { after: 'garbage' });
    await vi.waitFor(() => expect(seen.failures).toHaveLength(1), 5_000);
    expect(seen.failures).toMatchObject([{ extensions: { code: 'INVALID_CURSOR' } }]);
    expect(seen.events).toEqual([]);
    client.dispose();
  });

  test('who has no session is refused', async () => {
    const client = open({ singleConnection, headers: { authorization: 'Bearer garbage' } });
    const seen = follow(client);
    await vi.waitFor(() => expect(seen.failures).toHaveLength(1), 5_000);
    expect(seen.failures).toMatchObject([{ response: { status: 401 } }]);
    client.dispose();
  });

  test('nothing is left out and nothing comes twice where the cursor is given after a cut', async () => {
    const client = open({ singleConnection });
    const before = follow(client);
    await hasBegun(before);
    await stage.post('one', ['art']);
    await hasSeen(before, ['one']);
    relay.cut();
    await vi.waitFor(() => expect(before.failures).toHaveLength(1), 5_000);
    await stage.post('two', ['art']);
    await stage.post('three', ['writers']);
    const after = follow(client, { after: before.events.at(-1)?.cursor });
    await hasSeen(after, ['two', 'three']);
    await stage.post('four', ['art']);
    await hasSeen(after, ['two', 'three', 'four']);
    client.dispose();
  });
});

test('a client that connects again by itself goes on by Last-Event-ID', async () => {
  let seen: Seen | undefined;
  const client = open({
    headers: () => {
      const cursor = seen?.events.at(-1)?.cursor;
      return { authorization, ...(cursor && { 'last-event-id': cursor }) };
    },
    retryAttempts: 5,
    retry: async () => {},
  });
  seen = follow(client);
  await hasBegun(seen);
  const written: string[] = [];
  for (const round of [1, 2, 3]) {
    for (const name of ['shown', 'missed']) {
      const text = `${name}${round}`;
      written.push(text);
      await stage.post(text, ['art']);
      if (name === 'missed') continue;
      await hasSeen(seen, written);
      relay.cut();
    }
  }
  await hasSeen(seen, written);
  expect(seen.failures).toEqual([]);
  client.dispose();
});

describe('a connection', () => {
  let connection: string;
  let stranger: string;
  let arrived: string;
  let stop: AbortController;

  beforeEach(async () => {
    stranger = `Bearer ${(await stage.reader('bob', 'art')).token}`;
    const reserved = await ask('PUT', { authorization });
    expect(reserved.status).toBe(201);
    connection = await reserved.text();
    arrived = '';
    stop = new AbortController();
  });

  function ask(
    method: string,
    headers: Record<string, string>,
    { operation, body, signal }: { operation?: string; body?: object; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const query = operation ? `?operationId=${operation}` : '';
    return fetch(`${gateway.url}/graphql/stream${query}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }

  /** Opens it and gathers what arrives on it. */
  async function read(): Promise<void> {
    const headers = { authorization, [TOKEN_HEADER]: connection, accept: 'text/event-stream' };
    const response = await ask('GET', headers, { signal: stop.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const gather = async () => {
      for await (const chunk of response.body ?? []) arrived += Buffer.from(chunk).toString();
    };
    gather().catch(() => {});
  }

  const subscription = (operationId: string) => ({
    query: LIVE_QUERY,
    extensions: { operationId },
  });

  test('ends one subscription by DELETE, and goes on with the others', async () => {
    await read();
    const own = { authorization, [TOKEN_HEADER]: connection };
    for (const id of ['first', 'second']) {
      expect((await ask('POST', own, { body: subscription(id) })).status).toBe(202);
    }
    expect((await ask('POST', own, { body: subscription('first') })).status).toBe(409);
    await vi.waitFor(() => expect(arrived.match(/StreamOpened/g)).toHaveLength(2), 5_000);
    expect((await ask('DELETE', own, { operation: 'first' })).status).toBe(200);
    await vi.waitFor(() => expect(arrived).toContain('event: complete\ndata: {"id":"first"}'));
    await stage.post('one', ['art']);
    await vi.waitFor(() => expect(arrived).toContain('"text":"one"'), 5_000);
    expect(arrived.match(/"text":"one"/g)).toHaveLength(1);
    stop.abort();
  });

  test('is nobody else’s to open, to use or to end, as if it were not there', async () => {
    await read();
    const own = { authorization, [TOKEN_HEADER]: connection };
    expect((await ask('POST', own, { body: subscription('mine') })).status).toBe(202);
    await vi.waitFor(() => expect(arrived).toContain('StreamOpened'), 5_000);
    const answerTo = async (token: string, method: string) => {
      const headers = { authorization: stranger, [TOKEN_HEADER]: token };
      const options = method === 'POST' ? { body: subscription('theirs') } : { operation: 'mine' };
      const answer = await ask(method, headers, options);
      return [answer.status, await answer.text()];
    };
    for (const method of ['GET', 'POST', 'DELETE']) {
      const [refused, absent] = await Promise.all([
        answerTo(connection, method),
        answerTo('garbage', method),
      ]);
      expect(refused, method).toEqual(absent);
      expect(refused[0], method).toBe(404);
    }
    expect(arrived).not.toContain('theirs');
    await stage.post('one', ['art']);
    await vi.waitFor(() => expect(arrived).toContain('"text":"one"'), 5_000);
    stop.abort();
  });
});
