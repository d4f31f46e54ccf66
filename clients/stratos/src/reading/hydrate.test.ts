import { encodeRecord } from '@stratos/protocol';
import { expect, test } from 'vitest';
import type { Did } from '../identifiers.ts';
import type { Stub } from '../routing/stub.ts';
import { openNodeSession, type Session } from '../session/session.ts';
import { PERSON } from '../testing/dpop-service.ts';
import { hydrate } from './hydrate.ts';

const NODE = 'did:web:node.example';
const OTHER = 'did:web:other.example';

interface Written {
  stub: Stub;
  value: object;
}

/** Posts at a node, and the stubs of them. */
function written(count: number, node: Did = NODE): Promise<Written[]> {
  const posts = Array.from({ length: count }, async (_, i) => {
    const value = { $type: 'zone.stratos.feed.post', text: `${node} ${i}`, langs: ['en'] };
    const { cid } = await encodeRecord(value);
    const uri = `at://${PERSON}/zone.stratos.feed.post/${i}` as const;
    return { stub: { uri, cid, node, fragment: undefined }, value };
  });
  return Promise.all(posts);
}

type Answer = (uris: string[]) => Response | Promise<Response>;

/** Sessions at nodes that answer in some way, and how many addresses each was asked for. */
function nodes(answers: Record<string, Answer>) {
  const asked: number[] = [];
  const sessionAt = ({ node: did }: Pick<Stub, 'node'>): Promise<Session> =>
    openNodeSession({
      node: { did, url: 'https://node.example' },
      pds: { fetchHandler: async () => Response.json({ token: 'token' }) },
      fetch: async (url, init) => {
        init?.signal?.throwIfAborted();
        const expiresAt = new Date(Date.now() + 600_000).toISOString();
        if (url.endsWith('.createSession')) {
          return Response.json({ did: PERSON, token: 'session', expiresAt });
        }
        const { uris } = JSON.parse(String(init?.body));
        asked.push(uris.length);
        return answers[did]?.(uris) ?? Promise.reject(new TypeError('fetch failed'));
      },
    });
  return { asked, sessionAt };
}

function holding(posts: Written[]): Answer {
  return (uris) => {
    const held = posts.filter(({ stub }) => uris.includes(stub.uri));
    const records = held.map(({ stub: { uri, cid }, value }) => ({ uri, cid, value }));
    return Response.json({ records: records.reverse(), notFound: [], blocked: [] });
  };
}

const stubsOf = (posts: Written[]) => posts.map(({ stub }) => stub);

test('answers in the order of the stubs, whatever the node does, 100 at a time', async () => {
  const posts = await written(205);
  const { asked, sessionAt } = nodes({ [NODE]: holding(posts.slice(1)) });
  const [first, ...others] = await hydrate(stubsOf(posts), { sessionAt });
  expect(first).toEqual({ status: 'absent' });
  const expected = posts.slice(1).map(({ value: record }) => ({ status: 'proven', record }));
  expect(others).toEqual(expected);
  expect(asked).toEqual([100, 100, 5]);
});

test.each([
  ['another text', { text: 'made up' }],
  ['more fields', { more: true }],
  ['a number that no record has', { n: 1.5 }],
])('%s is unproven, whatever CID the node states', async (_, change) => {
  const [honest, lied] = await written(2);
  if (!honest || !lied) throw new Error('there are two');
  const posts = [honest, { ...lied, value: { ...lied.value, ...change } }];
  const { sessionAt } = nodes({ [NODE]: holding(posts) });
  const hydrated = await hydrate(stubsOf(posts), { sessionAt });
  expect(hydrated.map(({ status }) => status)).toEqual(['proven', 'unproven']);
});

test('what is handed out is what was signed, not what only encodes to it', async () => {
  const value = { text: '\ufffd' };
  const { cid } = await encodeRecord(value);
  const uri = `at://${PERSON}/zone.stratos.feed.post/x` as const;
  const stub: Stub = { uri, cid, node: NODE, fragment: undefined };
  const { sessionAt } = nodes({ [NODE]: holding([{ stub, value: { text: '\ud800' } }]) });
  expect(await hydrate([stub], { sessionAt })).toEqual([{ status: 'proven', record: value }]);
});

test('a node that is away costs its own stubs only, and is asked once', async () => {
  const [here, away] = await Promise.all([written(2), written(150, OTHER)]);
  const { asked, sessionAt } = nodes({ [NODE]: holding(here) });
  const hydrated = await hydrate(stubsOf([...away, ...here]), { sessionAt });
  expect(hydrated.slice(150).map(({ status }) => status)).toEqual(['proven', 'proven']);
  for (const one of hydrated.slice(0, 150)) {
    expect(one).toMatchObject({ status: 'failed', error: { code: 'Unreachable' } });
  }
  expect(asked.sort()).toEqual([100, 2]);
});

test('records that are too much for one answer are asked for in halves', async () => {
  const posts = await written(100);
  const answer = holding(posts);
  const { asked, sessionAt } = nodes({
    [NODE]: (uris) => (uris.length > 50 ? new Response('x'.repeat(9_000_000)) : answer(uris)),
  });
  const hydrated = await hydrate(stubsOf(posts), { sessionAt });
  expect(new Set(hydrated.map(({ status }) => status))).toEqual(new Set(['proven']));
  expect(asked).toEqual([100, 50, 50]);
});

test('asks nobody with the session of another node', async () => {
  const [post] = await written(1);
  if (!post) throw new Error('there is one');
  const { asked, sessionAt } = nodes({ [OTHER]: holding([post]) });
  const [hydrated] = await hydrate([post.stub], { sessionAt: () => sessionAt({ node: OTHER }) });
  expect(hydrated).toMatchObject({ status: 'failed', error: { code: 'OtherNode' } });
  expect(asked).toEqual([]);
});

test('stops when it is told to', async () => {
  const posts = await written(1);
  const { sessionAt } = nodes({ [NODE]: holding(posts) });
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(hydrate(stubsOf(posts), { sessionAt, signal })).rejects.toThrow('enough');
});
