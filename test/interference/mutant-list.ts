import type { Edit } from '../private-copy.ts';

/** A rule of access, and how it is taken out. */
export interface Mutant {
  rule: string;
  edits: readonly Edit[];
  /** Which line of defence is left to itself: the other would make up for what is taken out of it. */
  alone: 'gateway' | 'database';
}

const REVEAL = 'gateway/src/access/reveal.ts';
const MEMBERSHIP = 'gateway/src/access/reveal-membership.ts';
const PRESENT = 'gateway/src/access/present.ts';
const CONTENT = 'gateway/src/access/post-content.ts';
const CURSORS = 'gateway/src/feeds/cursors.ts';
const AUTHOR_FEED = 'gateway/src/feeds/author-feed.ts';
const SEARCH_FEED = 'gateway/src/feeds/search.ts';
const POSTS = 'gateway/src/feeds/posts.ts';
const HYDRATION = 'gateway/src/hydration/posts.ts';
const AUTHORS = 'gateway/src/hydration/authors.ts';
const PAGE = 'gateway/src/operations/page.ts';
const PROOF = 'gateway/src/access/reveal-proof.ts';
const EVENTS = 'gateway/src/access/reveal-event.ts';
const AT_PLACE = 'gateway/src/operations/posts.ts';
const BLOBS = 'gateway/src/blobs/routes.ts';
const NEWS = 'gateway/src/live/news.ts';
const LIVE_FEED = 'gateway/src/live/live-feed.ts';
const EVENT_CURSORS = 'gateway/src/live/event-cursors.ts';
const SUBSCRIPTION = 'gateway/src/live/graphql-subscription.ts';
const OPERATIONS = 'gateway/src/operations/operations.ts';
const OPEN_SCOPE = 'prisma/src/queries/open-scope.ts';
const MERGE = 'prisma/src/queries/merge-boundaries.ts';
const REFERENCES = 'prisma/src/queries/references.ts';
const COUNTS = 'prisma/src/queries/count-posts.ts';
const POSTS_AT = 'prisma/src/queries/posts-at.ts';
const OWN_POSTS = 'prisma/src/queries/author-feed.ts';
const ANCESTORS = 'prisma/src/queries/ancestors.ts';
const MEMBERSHIPS = 'prisma/src/queries/memberships.ts';
const POLICIES = 'prisma/migrations/20261120161500_row_security/migration.sql';
const PROOFS = 'prisma/migrations/20261120201800_post_proofs/migration.sql';
const SEARCH = 'prisma/migrations/20261120192951_nearest_words/migration.sql';

const SHARED = 'boundaries.filter((boundary) => scope.boundaries.has(boundary))';
const IS_OWN = 'const isOwn = isAuthor(scope, post.uri);';
const NARROW = 'return scope.boundaries.has(boundary) ? [boundary] : [];';
const OWN_FEED = 'return author === scope.viewer';
const IN_SCOPE = `USING ("boundary" IN (SELECT unnest(string_to_array(current_setting('stratos.scope', true), ' '))))`;
const OWN_ROWS = `USING ("did" = (SELECT current_setting('stratos.viewer', true)))`;

/** Without the gateway's own checks of what the database then still keeps to itself. */
const ALL_OF_AUTHOR: Edit = [AUTHOR_FEED, OWN_FEED, 'return author'];
const ANY_BOUNDARY: Edit = [MERGE, 'pb.boundary = scope.boundary ', 'true '];
const ANY_REFERENCE: Edit = [
  REFERENCES,
  'select r.uri, r.node_did\n        from stratos_post_reference r\n        where r.boundary = scope.boundary',
  'select r.uri, r.node_did\n        from stratos_post_reference r\n        where scope.boundary is not null',
];
const ANY_PLACE: Edit = [
  POSTS_AT,
  'where pb.uri = wanted.uri and pb.boundary = scope.boundary',
  'where pb.uri = wanted.uri and scope.boundary is not null',
];
const ANY_MEMBER: Edit = [MEMBERSHIPS, 'where m.did = ', "where m.did <> 'x' and 'x' <> "];
const ANY_SCOPE: Edit = [OPEN_SCOPE, 'where mb.did = me.viewer', 'where me.viewer is not null'];

const policy = (table: string, condition: string): Edit => [
  POLICIES,
  `ON "${table}" FOR SELECT TO "stratos_gateway"\n    ${condition}`,
  `ON "${table}" FOR SELECT TO "stratos_gateway"\n    USING (true)`,
];

function ofGateway(rule: string, ...edits: Edit[]): Mutant {
  return { rule, edits, alone: 'gateway' };
}

function ofDatabase(rule: string, ...edits: Edit[]): Mutant {
  return { rule, edits, alone: 'database' };
}

export const MUTANTS: readonly Mutant[] = [
  // Whose scope it is
  ofGateway('a scope is of active memberships', [OPEN_SCOPE, '          and m.active\n', '']),
  ofGateway('a scope is of nodes that are heard', [
    OPEN_SCOPE,
    '          and n.lease_until > now()\n',
    '',
  ]),
  ofGateway('a lease that was never given is none', [
    OPEN_SCOPE,
    'n.lease_until > now()',
    "coalesce(n.lease_until, 'infinity') > now()",
  ]),
  ofGateway('a scope is of the viewer', ANY_SCOPE),
  ofGateway(
    'what a request knows ends with it',
    [
      OPERATIONS,
      'this.#made ??= this.#make();\n    return this.#made;',
      'kept ??= this.#make();\n    return kept;',
    ],
    [
      OPERATIONS,
      'export type { OperationsOptions }',
      'let kept: Request | undefined;\nexport type { OperationsOptions }',
    ],
  ),
  // What is revealed
  ofGateway('posts of accounts that are not in use are hidden', [
    REVEAL,
    'if (!isOwn && !author.active) return undefined;',
    '',
  ]),
  ofGateway('whether an account is in use is read', [
    AUTHORS,
    'active: active ?? UNKNOWN.active }',
    'active: active || UNKNOWN.active }',
  ]),
  ofGateway('a post is shown with shared boundaries', [REVEAL, SHARED, 'boundaries']),
  ofGateway('a post without a shared boundary is hidden', [
    REVEAL,
    'if (shared.length === 0 && !isOwn) return undefined;',
    '',
  ]),
  ofGateway('a feed of one boundary has posts that are signed for it', [
    REVEAL,
    'if (within && !shared.includes(within)) return undefined;',
    '',
  ]),
  ofGateway('a node speaks for its own boundaries', [
    CONTENT,
    '.filter((boundary) => boundaryNode(boundary) === node)',
    '',
  ]),
  ofGateway('what is own is own', [REVEAL, IS_OWN, 'const isOwn = true;']),
  ofGateway('own posts are shown to their author', [REVEAL, IS_OWN, 'const isOwn = false;']),
  ofGateway('the record is shown without the other boundaries', [
    PRESENT,
    'const values = boundaries.map((value) => ({ value }));',
    'return record;\n  const values = boundaries.map((value) => ({ value }));',
  ]),
  ofGateway('a viewer sees the scope and no more', [
    REVEAL,
    'boundaries: [...scope.boundaries] }',
    "boundaries: [...scope.boundaries, 'did:web:a.test/one' as Boundary] }",
  ]),
  // What is verified
  ofGateway('bytes are those of their CID', [
    'protocol/src/record.ts',
    'if ((await cidOf(bytes)) !== cid)',
    'if ((await cidOf(bytes)) === undefined && cid)',
  ]),
  ofGateway(
    'bytes that were verified are these bytes',
    [HYDRATION, 'known && Buffer.compare(known.bytes, bytes) === 0', 'known'],
    [
      'protocol/src/record.ts',
      'if ((await cidOf(bytes)) !== cid)',
      'if ((await cidOf(bytes)) === undefined && cid)',
    ],
  ),
  ofGateway('the CID is that of the author’s stub', [
    HYDRATION,
    "if (stubCid !== null && stubCid !== cid) return 'not-what-the-stub-names';",
    '',
  ]),
  ofGateway('a page is filled up', [PAGE, 'more = found.posts.length === count;', 'more = false;']),
  ofGateway('a page ends where the feed does', [
    PAGE,
    'const goesOn = async () => taken.length > size;',
    'const goesOn = async () => taken.length >= size;',
  ]),
  // Where it is looked for
  ofGateway('the timeline is of boundaries of the scope', ANY_BOUNDARY),
  ofGateway(
    'a feed of one boundary is of the scope',
    [
      MERGE,
      '  const { after, limit, reverse } = slice;',
      "  if (boundary) boundaries = Prisma.raw(`'` + boundary + `'`);\n  const { after, limit, reverse } = slice;",
    ],
    [REVEAL, SHARED, 'boundaries'],
  ),
  ofGateway(
    'a feed of one boundary is of that one',
    [MERGE, '`where boundary = ', "`where boundary <> 'x' and 'x' <> "],
    [REVEAL, 'if (within && !shared.includes(within)) return undefined;', ''],
  ),
  ofGateway('the feed of an author has no more than is published', ALL_OF_AUTHOR),
  ofGateway('the feed of an author is of that author', [MERGE, 'and pb.did = ', "and 'x' <> "]),
  ofGateway('own posts are of the viewer', [OWN_POSTS, 'where p.did = ', "where 'x' <> "]),
  ofGateway('a post is looked for in the scope', ANY_PLACE),
  ofGateway(
    'a post of somebody else is looked for in the scope',
    [POSTS, 'const own = uris.filter((uri) => isAuthor(scope, uri));', 'const own = [...uris];'],
    [POSTS_AT, 'and starts_with(wanted.uri, ', 'and 0 <= strpos(wanted.uri, '],
  ),
  ofGateway(
    'ancestors are of the scope',
    [ANCESTORS, 'and pb.boundary = scope.boundary', 'and scope.boundary is not null'],
    [REVEAL, 'if (shared.length === 0 && !isOwn) return undefined;', ''],
  ),
  ofGateway(
    'replies are of the scope',
    [
      REFERENCES,
      'select r.sort_at, r.uri, r.node_did\n        from stratos_post_reference r\n        where r.boundary = scope.boundary',
      'select r.sort_at, r.uri, r.node_did\n        from stratos_post_reference r\n        where scope.boundary is not null',
    ],
    [REVEAL, 'if (shared.length === 0 && !isOwn) return undefined;', ''],
  ),
  ofGateway('what is counted is of the scope', ANY_REFERENCE),
  ofGateway('posts of a person are counted in the scope', [
    COUNTS,
    'where pb.boundary = scope.boundary and pb.did = wanted.author',
    'where pb.did = wanted.author',
  ]),
  ofGateway(
    'the words of a boundary are those of the scope',
    [
      SEARCH,
      'WHERE b.boundary = ANY (boundaries) AND b.boundary = ANY (stratos_scope())',
      'WHERE cardinality(boundaries) > 0',
    ],
    [REVEAL, 'if (shared.length === 0 && !isOwn) return undefined;', ''],
  ),
  // Who is a member of what
  ofGateway('memberships are of the viewer', ANY_MEMBER),
  ofGateway('who has left is a member of nothing', [MEMBERSHIP, 'if (!active) return [];', '']),
  ofGateway('a node that was left lists nothing', [
    MEMBERSHIP,
    'boundaries: active ? boundaries : []',
    'boundaries',
  ]),
  ofGateway('nobody knows who has written nothing for them', [
    MEMBERSHIP,
    'active && shared.length > 0 ?',
    'active ?',
  ]),
  ofGateway('nobody knows who is gone', [
    MEMBERSHIP,
    'active && shared.length > 0 ?',
    'shared.length > 0 ?',
  ]),
  ofGateway('a boundary is open while its node is heard', [
    MEMBERSHIP,
    'isOpen: scope.boundaries.has(uri)',
    'isOpen: true',
  ]),
  // Where a page begins
  ofGateway(
    'a cursor is good for what it was sealed for',
    [CURSORS, 'nonce).setAAD(digest(scope))', 'nonce)'],
    [
      CURSORS,
      'decipher.setAAD(digest(scope)).setAuthTag',
      'digest(scope);\n      decipher.setAuthTag',
    ],
  ),
  ofGateway('a cursor is good for one viewer', [
    CURSORS,
    'JSON.stringify([viewer, operation, sorted])',
    'JSON.stringify([viewer.length, operation, sorted])',
  ]),
  ofGateway('a cursor is good for one feed', [
    CURSORS,
    'JSON.stringify([viewer, operation, sorted])',
    'JSON.stringify([viewer, operation, sorted.length])',
  ]),
  ofGateway('a cursor is whole', [
    CURSORS,
    'return Buffer.concat([plain, decipher.final()]).toString();',
    'return plain.toString();',
  ]),
  // Files, proofs, and posts by their place
  ofGateway('a post at a place is the one that is there', [
    AT_PLACE,
    'held.find((one) => one.node === node)',
    'held.at(-1)',
  ]),
  ofGateway('a file is one that the post names', [
    BLOBS,
    'blobsOf(post).find(({ cid }) => cid === path.cid)',
    'blobsOf(post)[0]',
  ]),
  ofGateway('a file is of a post that is to be seen', [
    BLOBS,
    'const view = post && blobsOf(post).find(({ cid }) => cid === path.cid);',
    "const view = path && (post ? blobsOf(post).find(({ cid }) => cid === path.cid) : { mimeType: 'image/png' });",
  ]),
  ofGateway(
    'a proof is for who may know all that it names',
    [PROOF, 'if (!mayKnow(scope, post, boundariesOf(post))) return undefined;', ''],
    [PROOFS, 'OR p.boundaries <@ stratos_scope() AND EXISTS (', 'OR EXISTS ('],
  ),
  ofGateway(
    'what a node states is for who may know all of it',
    [
      PROOF,
      'if (!bytes || !mayKnow(scope, post, readMembershipEntry(bytes).entry.boundaries)) return null;',
      'if (!bytes) return null;',
    ],
    [PROOFS, 'IS NOT TRUE', 'IS NULL'],
  ),
  ofDatabase(
    'a proof is in the scope',
    [PROOF, 'if (!mayKnow(scope, post, boundariesOf(post))) return undefined;', ''],
    [PROOFS, 'OR p.boundaries <@ stratos_scope() AND EXISTS (', 'OR EXISTS ('],
  ),
  // What is told as it happens
  ofGateway('what is told is open to who listens', [
    NEWS,
    'found?.readers.filter((boundary) => scope.boundaries.has(boundary)) ?? []',
    '[...(found?.readers ?? [])]',
  ]),
  ofGateway('a stream of one boundary is of that one', [
    NEWS,
    'within ? shared.includes(within) : shared.length > 0',
    'shared.length > 0',
  ]),
  ofGateway('an event is shared by those who see the same', [NEWS, "shared.join(' ')", "'all'"]),
  ofGateway('what only the author sees is not shared', [
    NEWS,
    "isAuthor(scope, post.uri) ? 'author' : shared",
    'shared',
  ]),
  ofGateway('that a post is gone is told where it was to be read', [
    EVENTS,
    'if (!goneFrom.some(opens)) return undefined;',
    '',
  ]),
  ofGateway('that a post is gone is told of one boundary', [
    NEWS,
    '(boundary) => scope.boundaries.has(boundary) && (!within || boundary === within),',
    '(boundary) => scope.boundaries.has(boundary),',
  ]),
  ofGateway('who has left is told nothing more', [
    LIVE_FEED,
    'await scopes.refresh(concerned);',
    'await scopes.refresh([]);',
  ]),
  ofGateway('what is each viewer’s own is made for each', [
    SUBSCRIPTION,
    'if (isPersonal) this.#personal.add(this.#form);\n      return isPersonal ? undefined : new Template',
    'return new Template',
  ]),
  ofGateway('a cursor of a stream is good for one viewer', [
    EVENT_CURSORS,
    "['live posts', viewer, boundary ?? null]",
    "['live posts', viewer.length, boundary ?? null]",
  ]),
  ofGateway('a cursor of a stream is good for one subscription', [
    EVENT_CURSORS,
    "['live posts', viewer, boundary ?? null]",
    "['live posts', viewer]",
  ]),
  ofGateway('a cursor of a stream is whole', [
    EVENT_CURSORS,
    'if (block.readBigUInt64BE(BLOCK / 2) !== 0n) throw invalidCursor();',
    '',
  ]),
  ofGateway('a cursor of a stream says nothing', [
    EVENT_CURSORS,
    "return this.#cipher.update(block).toString('base64url');",
    "return this.#cipher.update(block).toString('base64url').concat('.'.repeat(Number(position % 7n)));",
  ]),
  // What the database keeps to itself, asked by a gateway that forgets to
  ofDatabase('rows of posts are of the scope', ALL_OF_AUTHOR, [
    POLICIES,
    `        OR "boundaries" && (SELECT string_to_array(current_setting('stratos.scope', true), ' '))
            AND EXISTS (`,
    '        OR EXISTS (SELECT) OR EXISTS (',
  ]),
  ofDatabase('rows of posts are published', ALL_OF_AUTHOR, [
    POLICIES,
    `            AND EXISTS (
                SELECT FROM "stratos_post_boundary" "reader"`,
    `            AND EXISTS (SELECT) OR EXISTS (
                SELECT FROM "stratos_post_boundary" "reader"`,
  ]),
  ofDatabase(
    'rows of readers are of the scope',
    ALL_OF_AUTHOR,
    policy('stratos_post_boundary', IN_SCOPE),
  ),
  ofDatabase(
    'rows of references are of the scope',
    ANY_REFERENCE,
    policy('stratos_post_reference', IN_SCOPE),
  ),
  ofDatabase(
    'rows of memberships are of the viewer',
    ANY_MEMBER,
    policy('stratos_membership', OWN_ROWS),
  ),
  ofDatabase(
    'rows of boundaries of members are of the viewer',
    ANY_SCOPE,
    policy('stratos_membership_boundary', OWN_ROWS),
    policy('stratos_membership', OWN_ROWS),
  ),
  ofDatabase(
    'words are of the scope',
    [SEARCH_FEED, NARROW, 'return [boundary];'],
    [
      SEARCH,
      'WHERE b.boundary = ANY (boundaries) AND b.boundary = ANY (stratos_scope())',
      'WHERE b.boundary = ANY (boundaries)',
    ],
    [REVEAL, SHARED, 'boundaries'],
  ),
];

/** What one line of defence lets through and the other does not: with these nothing may come out otherwise. */
export const HELD: readonly Mutant[] = [
  ofDatabase('the feed of an author, asked for without the scope', ALL_OF_AUTHOR),
  ofDatabase('counts, asked for without the scope', ANY_REFERENCE),
  ofDatabase('memberships, asked for without the viewer', ANY_MEMBER),
  ofDatabase('the scope, asked for without the viewer', ANY_SCOPE),
];
