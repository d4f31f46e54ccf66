import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LiveClient, SeenEvent } from '../testing/live-client.ts';
import { LiveStage } from '../testing/live-stage.ts';
import { graphql } from '../testing/surfaces.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import type { WrittenPost } from '../testing/world.ts';

const NAMES = ['art', 'writers', 'music'];
const RUNS = 25;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** What a client shows: boundaries of posts, by address. It does what the documentation says. */
class Screen {
  readonly posts = new Map<string, Set<string>>();
  readonly #read: (boundary?: string) => Promise<[string, string[]][]>;

  constructor(read: (boundary?: string) => Promise<[string, string[]][]>) {
    this.#read = read;
  }

  async take(event: SeenEvent): Promise<void> {
    const { __typename, post, uri = '', boundary, boundaries = [] } = event;
    if (post)
      this.#show(
        post.uri,
        post.boundaries.map((one) => one.uri),
      );
    else if (__typename === 'PostRemoved') this.posts.delete(uri);
    else if (__typename === 'BoundaryClosed') this.#keep((one) => one !== boundary?.uri);
    else if (__typename === 'BoundaryOpened') await this.read(boundary?.uri);
    else if (__typename === 'StreamReset') await this.read();
    else this.#keep((one) => boundaries.some((open) => open.uri === one));
  }

  async read(boundary?: string): Promise<void> {
    if (!boundary) this.posts.clear();
    for (const [uri, boundaries] of await this.#read(boundary)) this.#show(uri, boundaries);
  }

  #show(uri: string, boundaries: string[]): void {
    this.posts.set(uri, new Set(boundaries));
  }

  #keep(isKept: (boundary: string) => boolean): void {
    for (const [uri, boundaries] of this.posts) {
      const kept = [...boundaries].filter(isKept);
      if (kept.length > 0) this.#show(uri, kept);
      else this.posts.delete(uri);
    }
  }
}

const names = fc.subarray(NAMES, { minLength: 1 });
const step = fc.oneof(
  fc.record({ do: fc.constant('post' as const), names }),
  fc.record({ do: fc.constant('edit' as const), names, which: fc.nat(20) }),
  fc.record({ do: fc.constant('remove' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('member' as const), names }),
  fc.record({ do: fc.constant('leave' as const) }),
  fc.record({ do: fc.constant('return' as const) }),
);

test('a screen that does what it is told shows what there is, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async (steps) => {
      const stage = await LiveStage.on(gateway);
      const { did, token } = await stage.reader('reader', ...NAMES);
      const screen = new Screen((boundary) => timeline(token, boundary));
      const posts: WrittenPost[] = [];
      let client: LiveClient | undefined;
      let cursor: string | undefined;
      let taken = 0;
      const take = async () => {
        for (; client && taken < client.events.length; taken++) {
          const event = client.events[taken];
          if (event) await screen.take(event);
          cursor = event?.cursor;
        }
      };
      const follow = async () => {
        client ??= await stage.follow(token, { after: cursor });
      };
      const leave = async () => {
        await take();
        await client?.[Symbol.asyncDispose]();
        [client, taken] = [undefined, 0];
      };
      await follow();
      await take();
      for (const { do: what, ...args } of steps) {
        const boundaries = 'names' in args ? args.names : [];
        const at = 'which' in args ? args.which % Math.max(1, posts.length) : 0;
        const post = posts[at];
        if (what === 'post') posts.push(await stage.post(`post${Math.random()}`, boundaries));
        else if (what === 'edit' && post) {
          const edited = { boundaries: stage.boundaries(...boundaries) };
          posts[at] = await stage.happenings.edit(post, edited);
        } else if (what === 'remove' && post) {
          await stage.happenings.remove(post);
          posts.splice(at, 1);
        } else if (what === 'member') await stage.member(did, ...boundaries);
        else if (what === 'leave') await leave();
        else if (what === 'return') await follow();
      }
      await follow();
      const last = await stage.post('last', NAMES);
      await client?.until(({ events }) => events.some(({ post }) => post?.uri === last.uri));
      await take();
      const shown = [...screen.posts].map(([uri, set]) => [uri, [...set].sort()]);
      expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(await timeline(token)));
      await leave();
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 120_000);

async function timeline(token: string, boundary?: string): Promise<[string, string[]][]> {
  const query = `query ($boundary: Boundary) { timeline(boundary: $boundary, first: 50) {
    edges { node { uri boundaries { uri } } } } }`;
  const { body } = await graphql(gateway.url, token, query, { boundary });
  const { edges } = JSON.parse(body).data.timeline;
  return edges.map(({ node }: { node: { uri: string; boundaries: { uri: string }[] } }) => [
    node.uri,
    node.boundaries.map(({ uri }) => uri).sort(),
  ]);
}
