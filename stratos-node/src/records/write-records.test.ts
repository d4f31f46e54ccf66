import { com, zone } from '@stratos/protocol/lexicons';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AEKEA,
  NODE_DID,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from '../testing/test-node.ts';
import { MAX_RECORD_BYTES } from './record-rules.ts';

const rei = TestPerson.named('rei');
const kaoruko = TestPerson.named('kaoruko');
const mika = TestPerson.named('mika');
const haruki = TestPerson.named('haruki');
const domains = zone.stratos.boundary.defs.Domains.$type;
const someCid = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a';

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start({ people: [rei, kaoruko, mika, haruki] });
  await node.enroll(rei, [SWORDSMITH]);
  await node.enroll(kaoruko, [AEKEA]);
  await node.enroll(haruki, [SWORDSMITH, AEKEA]);
});
afterEach(() => node[Symbol.asyncDispose]());

async function refusal(response: Response): Promise<[status: number, error: string]> {
  const { error } = await response.json();
  return [response.status, error];
}

describe('who may write', () => {
  it('refuses somebody who is not enrolled', async () => {
    expect(await refusal(await node.tryPost(mika, postRecord('hi')))).toEqual([403, 'NotEnrolled']);
  });

  it("refuses another person's repo", async () => {
    const response = await node.tryPost(rei, postRecord('hi'), { repo: haruki.did });
    expect(await refusal(response)).toEqual([401, 'AuthRequired']);
  });

  it('refuses a boundary that the author is no member of', async () => {
    const response = await node.tryPost(rei, postRecord('hi', [SWORDSMITH, AEKEA]));
    expect(await refusal(response)).toEqual([403, 'ForbiddenBoundary']);
  });

  it('refuses it also when the lexicon is not to be checked', async () => {
    const response = await node.tryPost(rei, postRecord('hi', [AEKEA]), { validate: false });
    expect(await refusal(response)).toEqual([403, 'ForbiddenBoundary']);
  });

  it('refuses a boundary that the author has lost', async () => {
    const nsid = zone.stratos.admin.removeBoundary.$nsid;
    expect((await node.operator(nsid, { did: rei.did, boundary: SWORDSMITH })).status).toBe(200);
    expect(await refusal(await node.tryPost(rei, postRecord('hi')))).toEqual([
      403,
      'ForbiddenBoundary',
    ]);
  });

  it('makes somebody who writes too fast wait', async () => {
    const env = {
      STRATOS_WRITE_RATE_MAX_WRITES: '2',
      STRATOS_WRITE_RATE_COOLDOWN_JITTER_MS: '0',
    };
    await using strict = await TestNode.start({ people: [rei], env });
    await strict.enroll(rei, [SWORDSMITH]);
    await strict.createPost(rei, postRecord('one'));
    await strict.createPost(rei, postRecord('two'));
    const response = await strict.tryPost(rei, postRecord('three'));
    expect(response.headers.get('retry-after')).toBe('10');
    expect(response.headers.get('ratelimit-limit')).toBe('2');
    expect(response.headers.get('ratelimit-remaining')).toBe('0');
    expect(await refusal(response)).toEqual([429, 'RateLimitExceeded']);
  });
});

describe('boundaries of a record', () => {
  it.each([
    ['none', { boundary: undefined }],
    ['an empty list', { boundary: { $type: domains, values: [] } }],
    [
      'the same one twice',
      { boundary: { values: [{ value: SWORDSMITH }, { value: SWORDSMITH }] } },
    ],
    ['a bare name', { boundary: { values: [{ value: 'swordsmith' }] } }],
    ['no list', { boundary: { values: 'swordsmith' } }],
    ['another shape', { boundary: [SWORDSMITH] }],
    [
      'eleven of them',
      { boundary: { values: Array.from({ length: 11 }, () => ({ value: SWORDSMITH })) } },
    ],
  ])('must not be %s', async (_, change) => {
    for (const validate of [undefined, false]) {
      const response = await node.tryPost(rei, { ...postRecord('hi'), ...change }, { validate });
      expect(await refusal(response)).toEqual([400, 'InvalidRecord']);
    }
  });

  it('must be of this node', async () => {
    const response = await node.tryPost(
      rei,
      postRecord('hi', ['did:web:elsewhere.com/swordsmith']),
    );
    expect(await refusal(response)).toEqual([400, 'InvalidBoundary']);
  });

  it('must be kept by this node', async () => {
    const response = await node.tryPost(rei, postRecord('hi', [`${NODE_DID}/unknown`]));
    expect(await refusal(response)).toEqual([400, 'InvalidBoundary']);
  });

  it('get the type that their place implies, as in the documents of the format', async () => {
    const { boundary, ...rest } = postRecord('hi');
    const { uri } = await node.createPost(rei, { ...rest, boundary: { values: boundary.values } });
    const params = { repo: rei.did, collection: rest.$type, rkey: uri.split('/')[4] ?? '' };
    const response = await node.query(rei, com.atproto.repo.getRecord.$nsid, params);
    expect((await response.json()).value).toEqual({ ...rest, boundary });
  });
});

describe('what a record may be', () => {
  it.each([
    ['another type', { $type: 'zone.stratos.feed.like' }],
    ['a source, which only stubs have', { source: { vary: 'authenticated' } }],
    ['no time', { createdAt: undefined }],
    ['too much text', { text: 'a'.repeat(301) }],
    ['a number that is not whole', { extra: 1.5 }],
    [
      'an embedded public record',
      { embed: { record: { uri: 'at://did:plc:abc/app.bsky.feed.post/1', cid: someCid } } },
    ],
    [
      'an embedded public record beside media',
      {
        embed: {
          $type: 'app.bsky.embed.recordWithMedia',
          record: { record: { uri: 'at://did:plc:abc/app.bsky.feed.post/1', cid: someCid } },
          media: {},
        },
      },
    ],
    [
      'a blob, which cannot be here',
      {
        embed: {
          $type: 'app.bsky.embed.images',
          images: [
            {
              alt: '',
              image: { $type: 'blob', ref: { $link: someCid }, mimeType: 'image/png', size: 1 },
            },
          ],
        },
      },
    ],
    [
      'an answer to a public record',
      {
        reply: {
          root: { uri: 'at://did:plc:abc/app.bsky.feed.post/1', cid: someCid },
          parent: { uri: 'at://did:plc:abc/app.bsky.feed.post/1', cid: someCid },
        },
      },
    ],
  ])('refuses %s', async (_, change) => {
    const response = await node.tryPost(rei, { ...postRecord('hi'), ...change });
    expect(response.status).toBe(400);
  });

  it.each([
    ['a source', { source: { vary: 'authenticated' } }],
    [
      'an embedded public record',
      { embed: { record: { uri: 'at://did:plc:abc/app.bsky.feed.post/1', cid: someCid } } },
    ],
    ['an answer to nothing', { reply: {} }],
    [
      'a blob, which cannot be here',
      {
        image: {
          $type: 'blob',
          ref: { $link: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' },
          mimeType: 'image/png',
          size: 1,
        },
      },
    ],
    [
      'an answer to somebody named by a handle',
      {
        reply: {
          root: { uri: 'at://rei.test/zone.stratos.feed.post/1', cid: someCid },
          parent: { uri: 'at://rei.test/zone.stratos.feed.post/1', cid: someCid },
        },
      },
    ],
  ])('refuses %s even where the lexicon is not checked', async (_, change) => {
    const record = { ...postRecord('hi'), ...change };
    const response = await node.tryPost(rei, record, { validate: false });
    expect(await refusal(response)).toEqual([400, 'InvalidRecord']);
  });

  it('checks the lexicon unless told not to', async () => {
    const long = { ...postRecord('a'.repeat(301)) };
    expect(await refusal(await node.tryPost(rei, long))).toEqual([400, 'InvalidRecord']);
    expect((await node.tryPost(rei, long, { validate: false })).status).toBe(200);
  });

  it.each(['app.bsky.feed.post', 'zone.stratos.actor.enrollment', 'zone.stratosphere.feed.post'])(
    'refuses the collection %s',
    async (collection) => {
      const record = { ...postRecord('hi'), $type: collection };
      expect(await refusal(await node.tryPost(rei, record, { collection }))).toEqual([
        400,
        'InvalidCollection',
      ]);
    },
  );

  it('takes collections of the namespace that it does not know, unless they must be checked', async () => {
    const collection = 'zone.stratos.feed.like';
    const record = { ...postRecord('hi'), $type: collection };
    const response = await node.tryPost(rei, record, { collection });
    expect((await response.json()).validationStatus).toBe('unknown');
    const checked = await node.tryPost(rei, record, { collection, validate: true });
    expect(await refusal(checked)).toEqual([400, 'InvalidRecord']);
  });

  it('refuses record keys that are none of the collection', async () => {
    const response = await node.tryPost(rei, postRecord('hi'), { rkey: 'not-a-tid' });
    expect(await refusal(response)).toEqual([400, 'InvalidRequest']);
  });

  it('bounds the size of a record and of a body', async () => {
    const big = { ...postRecord('hi'), extra: 'x'.repeat(MAX_RECORD_BYTES) };
    expect(await refusal(await node.tryPost(rei, big))).toEqual([400, 'InvalidRecord']);
    const huge = { ...postRecord('hi'), extra: 'x'.repeat(300_000) };
    expect((await node.tryPost(rei, huge)).status).toBe(413);
  });
});

describe('a reply', () => {
  async function replyTo(
    parent: { uri: string; cid: string },
    author: TestPerson,
    boundaries: string[],
  ) {
    const reply = { root: parent, parent: { uri: parent.uri, cid: parent.cid } };
    return node.tryPost(author, { ...postRecord('a reply', boundaries), reply });
  }

  it('stays within the boundaries of its parent', async () => {
    const { uri, cid } = await node.createPost(haruki, postRecord('parent', [SWORDSMITH]));
    expect((await replyTo({ uri, cid }, haruki, [SWORDSMITH])).status).toBe(200);
    expect(await refusal(await replyTo({ uri, cid }, haruki, [SWORDSMITH, AEKEA]))).toEqual([
      400,
      'InvalidRecord',
    ]);
    expect(await refusal(await replyTo({ uri, cid }, haruki, [AEKEA]))).toEqual([
      400,
      'InvalidRecord',
    ]);
  });

  it('does not tell a parent that the author may not see from one that does not exist', async () => {
    const hidden = await node.createPost(haruki, postRecord('hidden', [SWORDSMITH]));
    const absent = {
      uri: hidden.uri.replace(/.$/, (end) => (end === '2' ? '3' : '2')),
      cid: hidden.cid,
    };
    const toHidden = await replyTo({ uri: hidden.uri, cid: hidden.cid }, kaoruko, [AEKEA]);
    const toAbsent = await replyTo(absent, kaoruko, [AEKEA]);
    expect(toHidden.status).toBe(toAbsent.status);
  });
});

describe('asking twice', () => {
  const rkey = '3l7777777772a';

  it('gives the same answer for the same record', async () => {
    const record = postRecord('once');
    const first = await node.createPost(rei, record, { rkey });
    await node.createPost(rei, postRecord('in between'));
    expect(await node.createPost(rei, record, { rkey })).toEqual(first);
    expect(await node.ctx.service.events.head()).toBe(8);
  });

  it('does not replace a record by another', async () => {
    await node.createPost(rei, postRecord('once'), { rkey });
    const response = await node.tryPost(rei, postRecord('twice'), { rkey });
    expect(await refusal(response)).toEqual([400, 'InvalidRequest']);
  });

  it('compares and swaps', async () => {
    const first = await node.createPost(rei, postRecord('one'));
    const swapCommit = first.commit?.cid;
    await node.createPost(rei, postRecord('two'), { swapCommit });
    const response = await node.tryPost(rei, postRecord('three'), { swapCommit });
    expect(await refusal(response)).toEqual([409, 'InvalidSwap']);
  });

  it('deletes a record that is gone without complaint', async () => {
    const { uri } = await node.createPost(rei, postRecord('one'));
    expect((await (await node.deletePost(rei, uri)).json()).commit).toBeDefined();
    const again = await node.deletePost(rei, uri);
    expect([again.status, await again.json()]).toEqual([200, {}]);
  });
});
