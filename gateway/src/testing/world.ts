import type { PrismaClient } from '@stratos/prisma';
import {
  type AtUri,
  type Boundary,
  type Cid,
  type Did,
  encodeRecord,
  recordUri,
} from '@stratos/protocol';
import { app, zone } from '@stratos/protocol/lexicons';

const collection = zone.stratos.feed.post.$nsid;

export interface PostFacts {
  author: Did;
  node: Did;
  /** What the signed record names. */
  boundaries: Boundary[];
  rkey: string;
  text?: string;
  at?: Date;
  /** The index rows, when they are not to be what the record says. */
  readers?: Boundary[];
  /** The post that it answers. */
  parent?: { uri: AtUri; cid: Cid } | undefined;
  /** The post that it quotes. */
  quote?: { uri: AtUri; cid: Cid } | undefined;
  /** More fields of the record. */
  more?: Record<string, unknown>;
}

export interface WrittenPost extends PostFacts {
  uri: AtUri;
  cid: Cid;
  at: Date;
}

/** Fills an AppView database as the indexer does: real records, each with its own bytes and CID. */
export class World {
  readonly prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.prisma = prisma;
  }

  async node(did: Did, options: { leaseUntil?: Date | null } = {}): Promise<void> {
    const { leaseUntil = new Date(Date.now() + 3_600_000) } = options;
    const endpoint = 'http://node.test';
    await this.prisma.node.upsert({
      where: { did },
      create: { did, endpoint, leaseUntil },
      update: { leaseUntil },
    });
  }

  async actor(did: Did, options: { handle?: string; active?: boolean } = {}): Promise<void> {
    const { handle = null, active = true } = options;
    const fields = { handle, active };
    await this.prisma.actor.upsert({ where: { did }, create: { did, ...fields }, update: fields });
  }

  async member(did: Did, node: Did, boundaries: Boundary[], active = true): Promise<void> {
    const id = { did, nodeDid: node };
    await this.prisma.membership.deleteMany({ where: id });
    await this.prisma.membership.create({
      data: {
        ...id,
        active,
        seq: 1n,
        signingKey: 'did:key:test',
        issuedAt: new Date(),
        boundaries: { create: boundaries.map((boundary) => ({ boundary })) },
      },
    });
  }

  async post(facts: PostFacts): Promise<WrittenPost> {
    const { author, node, boundaries, rkey, text = rkey, at = new Date(), more = {} } = facts;
    const { parent, quote } = facts;
    const { bytes, cid } = await encodeRecord({
      $type: collection,
      text,
      ...(parent && { reply: { root: subjectOf(parent), parent: subjectOf(parent) } }),
      ...(quote && { embed: { $type: app.bsky.embed.record.$type, record: subjectOf(quote) } }),
      boundary: {
        $type: 'zone.stratos.boundary.defs#Domains',
        values: boundaries.map((value) => ({ value })),
      },
      createdAt: at.toISOString(),
      ...(more as object),
    });
    const uri = recordUri(author, collection, rkey);
    await this.prisma.post.create({
      data: {
        uri,
        nodeDid: node,
        cid,
        did: author,
        rkey,
        rev: '3l3qo2vutsw2b',
        record: new Uint8Array(bytes),
        text,
        replyRoot: parent?.uri ?? null,
        replyParent: parent?.uri ?? null,
        quote: quote?.uri ?? null,
        createdAt: at,
        indexedAt: at,
        sortAt: at,
        boundaries,
        readers: {
          create: (facts.readers ?? boundaries).map((boundary) => ({
            boundary,
            did: author,
            sortAt: at,
            cid,
            indexedAt: at,
          })),
        },
      },
    });
    return { ...facts, uri, cid, at };
  }

  async stub(post: { uri: AtUri; cid: Cid; author: Did }, node: Did): Promise<void> {
    await this.prisma.stub.create({
      data: {
        uri: post.uri,
        did: post.author,
        nodeDid: node,
        subjectCid: post.cid,
        rev: '3l3qo2vutsw2b',
      },
    });
  }
}

function subjectOf({ uri, cid }: { uri: AtUri; cid: Cid }) {
  return { uri, cid };
}
