import type { AtUri, Boundary, Did } from '@stratos/protocol';
import { Prisma } from '../../generated/client.ts';
import type { Position, Transaction } from '../queries/index.ts';
import * as queries from '../queries/index.ts';

/** A page and the one row by which the next page is known. */
export const PAGE = 51;
const MOST_COUNTED = 100;

/** What somebody may ask about in a generated database. */
export interface Subjects {
  viewer: Did;
  boundaries: readonly Boundary[];
  /** In the middle of the viewer's timeline. */
  deep: Position;
  author: Did;
  /** Posts in the scope: one that many answer, one that is quoted, and one deep in a thread. */
  answered: AtUri;
  quoted: AtUri;
  deepest: { uri: AtUri; node: Did };
  uris: readonly AtUri[];
  page: readonly { uri: AtUri; node: Did }[];
  /** A word that nearly every post has, and two that few have. */
  common: string;
  rare: string;
}

export type HotQuery = (transaction: Transaction) => Promise<unknown>;

/** Every query, as somebody asks it. */
export function hotQueries(subjects: Subjects): Record<string, HotQuery> {
  const { viewer, boundaries, deep, author, answered, quoted, deepest, uris, page } = subjects;
  const first = { boundaries, after: undefined, limit: PAGE };
  const later = { boundaries, after: deep, limit: PAGE };
  return {
    homeTimeline: (tx) => queries.homeTimeline(tx, { ...first, viewer }),
    'homeTimeline, far down': (tx) => queries.homeTimeline(tx, { ...later, viewer }),
    'homeTimeline, backward': (tx) => queries.homeTimeline(tx, { ...later, viewer, reverse: true }),
    authorFeed: (tx) => queries.authorFeed(tx, { ...first, author }),
    'authorFeed, far down': (tx) => queries.authorFeed(tx, { ...later, author }),
    'authorFeed, backward': (tx) => queries.authorFeed(tx, { ...later, author, reverse: true }),
    ownPosts: (tx) => queries.ownPosts(tx, { author: viewer, after: undefined, limit: PAGE }),
    'postsAt, one': (tx) => queries.postsAt(tx, { uris: [answered], boundaries }),
    'postsAt, a page': (tx) => queries.postsAt(tx, { uris, boundaries }),
    ownPostsAt: (tx) => queries.ownPostsAt(tx, { uris: [answered], author: viewer }),
    postContents: (tx) => queries.postContents(tx, page),
    replies: (tx) => queries.replies(tx, { ...first, subjects: [answered] }),
    'replies, backward': (tx) =>
      queries.replies(tx, { ...first, subjects: [answered], reverse: true }),
    'replies, of a page': (tx) => queries.replies(tx, { ...first, subjects: uris, limit: 11 }),
    quotes: (tx) => queries.quotes(tx, { ...first, subjects: [quoted] }),
    countReferences: (tx) =>
      queries.countReferences(tx, { subjects: uris, boundaries, limit: MOST_COUNTED }),
    ancestors: (tx) => queries.ancestors(tx, { of: deepest, boundaries, limit: 10 }),
    'searchPosts, a common word': (tx) =>
      queries.searchPosts(tx, { ...first, words: subjects.common }),
    'searchPosts, rare words': (tx) => queries.searchPosts(tx, { ...first, words: subjects.rare }),
    openScope: (tx) => queries.openScope(tx, viewer),
    ownMemberships: (tx) => queries.ownMemberships(tx, viewer),
    boundaryMembers: (tx) =>
      queries.boundaryMembers(tx, {
        boundary: boundaries[0] as Boundary,
        after: undefined,
        limit: PAGE,
      }),
    countAuthorPosts: (tx) =>
      queries.countAuthorPosts(tx, { authors: [author], boundaries, limit: MOST_COUNTED }),
    countPosts: (tx) => queries.countPosts(tx, { boundaries, limit: MOST_COUNTED }),
  };
}

/** Finds what a viewer of a generated database may ask about, as the owner of the database. */
export async function findSubjects(transaction: Transaction, viewer: Did): Promise<Subjects> {
  const rows = await transaction.$queryRaw<{ boundary: Boundary }[]>(Prisma.sql`
    select boundary from stratos_membership_boundary where did = ${viewer} order by boundary`);
  const boundaries = rows.map(({ boundary }) => boundary);
  const [found] = await transaction.$queryRaw<Omit<Subjects, 'viewer' | 'boundaries'>[]>(Prisma.sql`
    with mine as materialized (
      select * from stratos_post_boundary where boundary = any(${boundaries}::text[])
    ), answers as materialized (
      select r.* from stratos_post_reference r where r.boundary = any(${boundaries}::text[])
    )
    select
      (select jsonb_build_object('sortAt', sort_at, 'uri', uri, 'node', node_did) from mine
        order by sort_at desc offset (select count(*) / 2 from mine) limit 1) as deep,
      (select did from mine group by did order by count(*) desc, did limit 1) as author,
      (select subject from answers a join mine on mine.uri = a.subject
        where kind = 'reply' group by subject order by count(*) desc, subject limit 1) as answered,
      (select subject from answers where kind = 'quote' order by sort_at desc, uri limit 1) as quoted,
      (select jsonb_build_object('uri', a.uri, 'node', a.node_did) from answers a
        join answers parent on parent.uri = a.subject and parent.kind = 'reply'
        where a.kind = 'reply' order by a.sort_at desc, a.uri limit 1) as deepest,
      (select word from mine join stratos_post using (uri, node_did), string_to_table(text, ' ') as word
        group by word order by count(*) desc, word limit 1) as common,
      (select split_part(text, ' ', 1) || ' ' || split_part(text, ' ', 2)
        from mine join stratos_post using (uri, node_did) order by md5(uri) limit 1) as rare`);
  if (!found) throw new Error('the database is not a generated one');
  const { posts: page } = await queries.homeTimeline(transaction, {
    ...{ viewer, after: undefined, limit: 50 },
  });
  return {
    ...found,
    deep: { ...found.deep, sortAt: new Date(found.deep.sortAt) },
    viewer,
    boundaries,
    uris: page.map(({ uri }) => uri),
    page,
  };
}
