import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../service.ts';
import { briefSession } from '../testing/brief-session.ts';
import { LIVE_QUERY } from '../testing/live-client.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { authorization } from '../testing/send.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

const QUERY = '{ viewer { did } }';
const OPENED = '"__typename":"StreamOpened"';

let gateway: TestGateway;
let stage: LiveStage;
let alice: { did: string; token: string };
let bob: { did: string; token: string };

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = await LiveStage.on(gateway);
  alice = await stage.reader('alice', 'art');
  bob = await stage.reader('bob', 'art');
});

test('carries answers to its own viewer alone, and looks to others as if it were not there', async () => {
  await using connection = await Connection.open(gateway.url, alice.token);
  const others = [bob.token, 'garbage', undefined];
  const asked = [
    { query: QUERY },
    { query: LIVE_QUERY },
    { query: '{ nobody }' },
    { query: '{' },
    { query: '{ __typename }' },
  ];
  for (const by of others) {
    for (const [index, body] of asked.entries()) {
      const [answer, absent] = await Promise.all(
        [connection.token, 'absent'].map((token) => ask(gateway.url, { by, token, id: '1', body })),
      );
      expect(answer).toEqual(absent);
      expect(answer?.status, `${by} ${index}`).not.toBe(202);
    }
  }
  expect(connection.text).toBe('');
  expect(await connection.ask({ by: alice.token, id: '1', body: { query: QUERY } })).toMatchObject({
    status: 202,
  });
  await connection.until(`{"id":"1","payload":{"data":{"viewer":{"did":"${alice.did}"}}}}`);
});

test('refuses what is no valid document in the answer to the request', async () => {
  await using connection = await Connection.open(gateway.url, alice.token);
  for (const query of ['{', '{ nobody }']) {
    const { body } = await connection.ask({ by: alice.token, id: '1', body: { query } });
    expect(body).toContain('"code":"BAD_USER_INPUT"');
  }
  expect(connection.text).toBe('');
});

test('refuses somebody else’s connection with 404, and opens nothing for them', async () => {
  await using connection = await Connection.open(gateway.url, alice.token);
  for (const query of [QUERY, LIVE_QUERY]) {
    const { status, body } = await connection.ask({ by: bob.token, id: '1', body: { query } });
    expect([status, body]).toEqual([
      404,
      '{"errors":[{"message":"There is no such connection","extensions":{"code":"NOT_FOUND"}}]}',
    ]);
  }
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toContain('stratos_gateway_streams 0');
});

test('ends with the session that opened it, after a last word of all that it carries', async () => {
  const viewer = stage.person('carol');
  await gateway.world.member(viewer.did, stage.node, stage.boundaries('art'));
  const brief = await briefSession(gateway, viewer.did, 2);
  const lasting = await gateway.session(viewer);
  await using connection = await Connection.open(gateway.url, brief);
  for (const [id, by] of Object.entries({ brief, lasting })) {
    await connection.ask({ by, id, body: { query: LIVE_QUERY } });
    await connection.until(`{"id":"${id}","payload":{"data":{"posts":{${OPENED}`);
  }
  await connection.ended;
  for (const id of ['brief', 'lasting']) {
    expect(connection.text).toMatch(
      new RegExp(`{"id":"${id}","payload":{"data":{"posts":{"__typename":"StreamClosed".+SESSION`),
    );
    expect(connection.text).toContain(`event: complete\ndata: {"id":"${id}"}`);
  }
});

test('ends when the gateway goes away', async () => {
  const other = await startGateway({ ...gateway.config, port: 0 });
  await using connection = await Connection.open(`http://localhost:${other.port}`, alice.token);
  await connection.ask({ by: alice.token, id: '1', body: { query: LIVE_QUERY } });
  await connection.until(OPENED);
  await other[Symbol.asyncDispose]();
  await connection.ended;
  expect(connection.text).toContain('"reason":"RECONNECT"');
  expect(connection.text).toContain('event: complete\ndata: {"id":"1"}');
  expect(connection.isWhole).toBe(true);
});

interface Asking {
  by: string | undefined;
  id: string;
  body: object;
}

function ask(gatewayUrl: string, { by, token, id, body }: Asking & { token: string }) {
  return request(`${gatewayUrl}/graphql/stream`, {
    method: 'POST',
    headers: {
      ...authorization(by),
      'content-type': 'application/json',
      'x-graphql-event-stream-token': token,
    },
    body: JSON.stringify({ ...body, extensions: { operationId: id } }),
  });
}

async function request(url: string, init: RequestInit): Promise<{ status: number; body: string }> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.text() };
}

/** A connection for several answers. */
class Connection implements AsyncDisposable {
  readonly token: string;
  /** What came on it, but for signs of life. */
  text = '';
  /** Whether it ended without being cut off. */
  isWhole = false;
  readonly ended: Promise<void>;
  readonly #gatewayUrl: string;
  readonly #stop: AbortController;

  private constructor(
    gatewayUrl: string,
    token: string,
    { response, stop }: { response: Response; stop: AbortController },
  ) {
    this.token = token;
    this.#gatewayUrl = gatewayUrl;
    this.#stop = stop;
    this.ended = this.#read(response);
  }

  static async open(gatewayUrl: string, by: string): Promise<Connection> {
    const url = `${gatewayUrl}/graphql/stream`;
    const headers = authorization(by);
    const { body: token } = await request(url, { method: 'PUT', headers });
    const stop = new AbortController();
    const response = await fetch(url, {
      headers: { ...headers, accept: 'text/event-stream', 'x-graphql-event-stream-token': token },
      signal: stop.signal,
    });
    return new Connection(gatewayUrl, token, { response, stop });
  }

  ask(asking: Asking) {
    return ask(this.#gatewayUrl, { ...asking, token: this.token });
  }

  async until(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.text).toContain(text), 5_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        this.text += decoder.decode(chunk, { stream: true }).replaceAll(/^:\n\n/gm, '');
      }
      this.isWhole = true;
    } catch {
      // It was stopped, by this side or the other.
    }
  }
}
