import { decode, encode } from '@atproto/lex-cbor';
import { cidForRawBytes, decodeCid } from '@atproto/lex-data';
import { readCarWithRoot } from '@atproto/repo';
import { toDid, verifySignature } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { decodeNode, MissingNodeError, pathTo, textOf } from '@stratos/protocol/tree';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Author, create, postRecord, remove, update, type Write } from '../testing/author.ts';
import { World } from '../testing/world.ts';

let world: World;
let rei: Author;
let art: string;

beforeEach(async () => {
  world = await World.create();
  rei = await Author.create(toDid('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'));
  art = world.node.boundary('art');
  await world.enroll(rei);
  await world.apply(await world.node.membership(rei, ['art']));
  await world.apply(world.node.commit(await rei.genesis()));
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

async function write(...writes: Write[]): Promise<string[]> {
  return (await world.apply(world.node.commit(await rei.commit(writes)))).refusals;
}

describe('of a post', () => {
  test('all that its lexicon has is kept', async () => {
    const cid = (await rei.genesis()).commit.toString();
    const subject = (name: string) => ({ uri: `at://${rei.did}/app.bsky.feed.post/${name}`, cid });
    const facets = [
      {
        index: { byteStart: 0, byteEnd: 5 },
        features: [{ $type: 'app.bsky.richtext.facet#link', uri: 'https://example.com' }],
      },
    ];
    const embed = { $type: 'app.bsky.embed.record', record: subject('quoted') };
    const record = {
      ...postRecord([art], 'hello'),
      reply: { root: subject('root'), parent: subject('parent') },
      ...{ facets, embed, langs: ['en', 'de'], tags: ['one\0', 'two words'] },
      labels: { $type: 'com.atproto.label.defs#selfLabels', values: [{ val: 'graphic-media' }] },
    };
    expect(await write({ ...create('3kaaa', [art]), record } as Write)).toEqual([]);
    expect(await world.db.post.findFirst()).toMatchObject({
      replyRoot: subject('root').uri,
      replyParent: subject('parent').uri,
      quote: subject('quoted').uri,
      ...{ facets, embed, langs: ['en', 'de'], tags: ['one', 'two words'] },
      labels: ['graphic-media'],
    });
    expect(await write(update('3kaaa', [art], 'plain'))).toEqual([]);
    expect(await world.db.post.findFirst()).toMatchObject({
      ...{ text: 'plain', replyRoot: null, quote: null, facets: null, embed: null },
      ...{ langs: [], tags: [], labels: [] },
    });
  });

  test('what a quote with media quotes is known, and what it shows is JSON', async () => {
    const { commit } = await rei.genesis();
    const quoted = { uri: `at://${rei.did}/app.bsky.feed.post/quoted`, cid: commit.toString() };
    const ref = await cidForRawBytes(Buffer.from('an image'));
    const image = { $type: 'blob', ref, mimeType: 'image/png', size: 5 };
    const embed = {
      $type: 'app.bsky.embed.recordWithMedia',
      record: { record: quoted },
      media: { $type: 'app.bsky.embed.images', images: [{ image, alt: 'a\0b' }] },
    };
    const record = { ...postRecord([art], 'look'), embed };
    expect(await write({ ...create('3kaaa', [art]), record } as Write)).toEqual([]);
    const post = await world.db.post.findFirstOrThrow();
    expect(post.quote).toBe(quoted.uri);
    expect(post.embed).toMatchObject({
      media: { images: [{ alt: 'ab', image: { ref: { $link: ref.toString() } } }] },
    });
  });
});

describe('a proof', () => {
  async function proofs(): Promise<string[]> {
    const { db } = world;
    const revs = (await db.proof.findMany({ orderBy: { rev: 'asc' } })).map(({ rev }) => rev);
    const named = new Set((await db.post.findMany()).map(({ proofRev }) => proofRev));
    expect(new Set(revs)).toEqual(named);
    return revs;
  }

  test('shows that the record is in the repo that its author signed', async () => {
    for (let i = 0; i < 40; i++) await write(create(`3kaaa${i}`, [art], `find-me ${i}`));
    for (const { rkey, cid, proofRev } of await world.db.post.findMany()) {
      const proof = await world.db.proof.findFirstOrThrow({ where: { rev: proofRev ?? '' } });
      const { root, blocks } = await readCarWithRoot(proof.car);
      expect(root.toString()).toBe(proof.commit);
      const commit = decode(blocks.get(root) ?? new Uint8Array()) as Record<string, never>;
      const { sig, ...unsigned } = commit;
      expect(proof.signingKey).toBe(rei.key.did());
      expect(verifySignature(rei.key.did(), encode(unsigned), sig as never)).toBe(true);
      const node = async (link: Uint8Array) => {
        const block = blocks.get(decodeCid(link));
        if (!block) throw new MissingNodeError();
        return decodeNode(block);
      };
      const { bytes } = commit['data'] as unknown as { bytes: Uint8Array };
      const path = await pathTo({ node }, bytes, `${zone.stratos.feed.post.$nsid}/${rkey}`);
      expect(path && textOf(path.value)).toBe(cid);
      expect(Buffer.from(proof.car).includes('find-me')).toBe(false);
    }
  });

  test('stays as long as it shows something', async () => {
    await write(create('3kaaa', [art]), create('3kbbb', [art]));
    const [first] = await proofs();
    await write(update('3kaaa', [art]));
    expect(await proofs()).toEqual([first, expect.any(String)]);
    await write(remove('3kbbb'));
    expect(await proofs()).not.toContain(first);
    await write(update('3kaaa', ['did:web:other.example/art']));
    expect(await proofs()).toEqual([]);
  });

  test('goes with the repo that somebody had by another key', async () => {
    await write(create('3kaaa', [art]));
    const again = await Author.create(rei.did);
    await world.apply(await world.node.membership(again, ['art']));
    expect(await proofs()).toEqual([]);
  });
});
