import { type Boundary, type Did, qualifyBoundary } from '@stratos/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AnsweringNode } from '../testing/answering-node.ts';
import type { SeenPost, SeenThread } from '../testing/questions.ts';
import { type StubFacts, StubWorld, type WrittenStub } from '../testing/stub-world.ts';
import { SURFACES } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

let stack: AsyncDisposableStack;
let gateway: TestGateway;
let node: AnsweringNode;
let world: StubWorld;
let author: Did;
let token: string;
let open: Boundary;
let closed: Boundary;
let written = 0;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  node = stack.use(await AnsweringNode.start());
  gateway = stack.use(await startTestGateway());
  world = new StubWorld(gateway.world.prisma);
  node.stubs = world;
  const [writer, reader] = [gateway.people.add('author'), gateway.people.add('reader')];
  author = writer.did;
  open = qualifyBoundary(node.did, 'open');
  closed = qualifyBoundary(node.did, 'closed');
  await world.node(node.did);
  await world.members([
    { did: author, node: node.did, boundaries: [open, closed] },
    { did: reader.did, node: node.did, boundaries: [open] },
  ]);
  token = await gateway.session(reader);
});
afterAll(() => stack.disposeAsync());
beforeEach(() => {
  node.asked.length = 0;
  node.gives = { proofs: true, members: true };
});

async function stub(facts: Partial<StubFacts> = {}): Promise<WrittenStub> {
  const rkey = `r${written++}`;
  const [one] = await world.stubs([{ author, node: node.did, boundaries: [open], rkey, ...facts }]);
  if (!one) throw new Error('one was written');
  return one;
}

describe.each(SURFACES)('$name', (surface) => {
  const post = (uri: string) => surface.post(gateway.url, token, uri);

  test('answers a post of which the stub alone is indexed, as the node gives it', async () => {
    const { uri, cid, rkey } = await stub();
    expect(await post(uri)).toMatchObject({ uri, cid, boundaries: [open], record: { text: rkey } });
    expect(node.asked.map(({ uris }) => uris)).toEqual([1]);
  });

  test('answers several at once, and nothing for those of others', async () => {
    const [one, hidden, two] = [await stub(), await stub({ boundaries: [closed] }), await stub()];
    const uris = [one, hidden, two].map(({ uri }) => uri);
    const question = { operation: 'posts', uris } as const;
    const seen = (await surface.see(gateway.url, token, question)) as (SeenPost | null)[];
    const shown = seen.flatMap((each) => each?.uri ?? []);
    expect(shown).toEqual([one.uri, two.uri]);
    expect(node.asked.map((call) => call.uris)).toEqual([3]);
  });

  test('answers a thread of them', async () => {
    const parent = await stub();
    const { uri } = await stub({ parent });
    const question = { operation: 'thread', uri } as const;
    const thread = (await surface.see(gateway.url, token, question)) as SeenThread;
    expect([...thread.ancestors, thread.post].map((each) => each.uri)).toEqual([parent.uri, uri]);
  });

  test('answers one that is hidden as one that is not there', async () => {
    const { uri } = await stub({ boundaries: [closed] });
    const absent = `${uri.slice(0, uri.lastIndexOf('/'))}/absent`;
    const [forHidden, forAbsent] = [
      await surface.rawPost(gateway.url, token, uri),
      await surface.rawPost(gateway.url, token, absent),
    ];
    expect(forHidden).toEqual(forAbsent);
    expect(node.asked.map(({ uris }) => uris)).toEqual([1]);
  });
});

describe('a node that', () => {
  const [surface] = SURFACES;
  const post = (uri: string) => surface?.post(gateway.url, token, uri);

  test.each([
    ['proves nothing', { proofs: false, members: true }],
    ['keeps for itself how far its log of members is', { proofs: true, members: false }],
  ])('%s is not believed', async (_, gives) => {
    const { uri, cid } = await stub();
    node.gives = gives;
    expect(await post(uri)).toBeNull();
    node.gives = { proofs: true, members: true };
    expect((await post(uri))?.cid).toBe(cid);
  });
});
