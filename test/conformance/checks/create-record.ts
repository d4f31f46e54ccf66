import assert from 'node:assert/strict';
import { cidOf, encodeRecord, isTid } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { type Person, postRecord, type Written, written } from '../world/person.ts';

const { createRecord } = com.atproto.repo;
const collection = zone.stratos.feed.post.$nsid;

/** com.atproto.repo.createRecord. */
export const createRecords = new CheckGroup('create-record', ['people']);

createRecords.add('needs somebody who says who they are', async ({ node, people }) => {
  const { author, shared } = people;
  const body = { repo: author.did, collection, record: postRecord('Anonymous', [shared]) };
  (await node.call(createRecord, { body })).refused(401, 'AuthRequired');
});

createRecords.add(
  'answers address, CID, commit and that the record is valid',
  async ({ people }) => {
    const answer = await people.author.create(postRecord('One', [people.shared]));
    const { uri, rkey, commit } = written(answer);
    assert.equal(uri, `at://${people.author.did}/${collection}/${rkey}`);
    assert.ok(isTid(commit.rev), commit.rev);
    assert.equal(answer.json['validationStatus'], 'valid');
  },
);

createRecords.add('gives a TID as record key', async ({ people }) => {
  const { rkey } = await people.author.post([people.shared]);
  assert.ok(isTid(rkey), rkey);
});

createRecords.add('answers the CID of exactly the record that was sent', async ({ people }) => {
  const record = postRecord('Byte for byte', [people.shared]);
  const { cid } = written(await people.author.create(record));
  assert.equal(cid, (await encodeRecord(record as Parameters<typeof encodeRecord>[0])).cid);
});

createRecords.add('takes the record key that it is given', async ({ people }) => {
  const rkey = '3jzfcijpj2z2a';
  const answer = await people.author.create(postRecord('Keyed', [people.shared]), { rkey });
  assert.equal(written(answer).rkey, rkey);
});

createRecords.add('asked twice for the same, answers the same', async ({ people }) => {
  const record = postRecord('Once', [people.shared]);
  const more = { rkey: '3jzfcijpj2z2b' };
  const first = written(await people.author.create(record, more));
  const second = written(await people.author.create(record, more));
  assert.deepEqual(second, first);
});

createRecords.add('refuses another record under a key that is taken', async ({ people }) => {
  const rkey = '3jzfcijpj2z2c';
  written(await people.author.create(postRecord('First', [people.shared]), { rkey }));
  const again = await people.author.create(postRecord('Second', [people.shared]), { rkey });
  again.refused(400, 'InvalidRequest');
});

createRecords.add('increases the revision with every commit', async ({ people }) => {
  const revs: string[] = [];
  for (let i = 0; i < 3; i++) revs.push((await people.author.post([people.shared])).commit.rev);
  assert.deepEqual(revs, [...new Set(revs)].sort());
});

createRecords.add('takes the handle of the caller for their repo', async ({ people }) => {
  const { author, shared } = people;
  const body = { repo: author.handle, collection, record: postRecord('By handle', [shared]) };
  const { uri } = written(await author.procedure(createRecord, body));
  assert.ok(uri.startsWith(`at://${author.did}/`));
});

createRecords.add('refuses the repo of somebody else', async ({ people }) => {
  const { author, member, shared } = people;
  const body = { repo: member.did, collection, record: postRecord('Not mine', [shared]) };
  (await author.procedure(createRecord, body)).refused(401, 'AuthRequired');
});

createRecords.add('refuses a boundary that the author is no member of', async ({ people }) => {
  const answer = await people.outsider.create(postRecord('Let me in', [people.shared]));
  answer.refused(403, 'ForbiddenBoundary', 'NotEnrolled');
});

createRecords.add(
  'refuses one forbidden boundary among allowed ones',
  ['operator'],
  async (world) => {
    const { author, shared } = world.people;
    await world.withBoundaries(author, [shared]);
    const record = postRecord('Both', [shared, world.otherBoundary]);
    (await author.create(record)).refused(403, 'ForbiddenBoundary');
  },
);

createRecords.add(
  'takes several boundaries that the author is a member of',
  ['operator'],
  async (world) => {
    const { author, shared } = world.people;
    const both = [shared, world.otherBoundary];
    await world.withBoundaries(author, both);
    await author.post(both);
  },
);

createRecords.add(
  'answers with lexicon `validate: true` only if the lexicon is known',
  async ({ people }) => {
    const { author, shared } = people;
    const unknown = { ...postRecord('x', [shared]), $type: 'zone.stratos.example.unknown' };
    const body = { repo: author.did, collection: unknown.$type, record: unknown, validate: true };
    (await author.procedure(createRecord, body)).refused(400, 'InvalidRecord');
  },
);

createRecords.add('refuses a collection that is not private', async ({ people }) => {
  const { author, shared } = people;
  const record = { ...postRecord('Public', [shared]), $type: 'app.bsky.feed.post' };
  const body = { repo: author.did, collection: record.$type, record };
  (await author.procedure(createRecord, body)).refused(400, 'InvalidCollection', 'InvalidRequest');
});

createRecords.add('refuses to keep an enrollment, which is public', async ({ people }) => {
  const { author, shared } = people;
  const $type = zone.stratos.actor.enrollment.$nsid;
  const body = {
    repo: author.did,
    collection: $type,
    record: { ...postRecord('x', [shared]), $type },
  };
  (await author.procedure(createRecord, body)).refused(400, 'InvalidCollection', 'InvalidRequest');
});

createRecords.add('refuses a swapCommit that is not the newest commit', async ({ people }) => {
  const { commit } = await people.author.post([people.shared]);
  await people.author.post([people.shared]);
  const answer = await people.author.create(postRecord('Late', [people.shared]), {
    swapCommit: commit.cid,
  });
  answer.refused(409, 'InvalidSwap');
});

createRecords.add('takes a swapCommit that is the newest commit', async ({ people }) => {
  const { commit } = await people.author.post([people.shared]);
  const answer = await people.author.create(postRecord('In time', [people.shared]), {
    swapCommit: commit.cid,
  });
  written(answer);
});

createRecords.add('serialises writers of one repo without failing any', async ({ people }) => {
  const writes = Array.from({ length: 12 }, () => people.author.post([people.shared]));
  const revs = (await Promise.all(writes)).map(({ commit }) => commit.rev);
  assert.equal(new Set(revs).size, writes.length);
});

createRecords.add('lets the author read what was acknowledged, at once', async ({ people }) => {
  const { uri, cid } = await people.author.post([people.shared]);
  const { json } = await people.author.read(uri);
  assert.equal(json['cid'], cid);
});

const REFUSED: Record<string, (shared: string, node: string) => Record<string, unknown>> = {
  'without any boundary': () => postRecord('Nobody', []),
  'without the field of boundaries': (shared) => without(postRecord('None', [shared]), 'boundary'),
  'with a boundary twice': (shared) => postRecord('Twice', [shared, shared]),
  'with a boundary that is not qualified': (shared) =>
    postRecord('Bare', [shared.split('/')[1] ?? '']),
  'with a boundary of another node': () =>
    postRecord('Elsewhere', ['did:web:other.example/general']),
  'with a boundary that the node does not keep': (_, node) =>
    postRecord('x', [`${node}/no-such-boundary`]),
  'with a boundary of wrong syntax': (_, node) => postRecord('x', [`${node}/Not A Name`]),
  'with more than ten boundaries': (_, node) =>
    postRecord(
      'x',
      Array.from({ length: 11 }, (__, i) => `${node}/b${i}`),
    ),
  'with a $type that is not the collection': (shared) => ({
    ...postRecord('x', [shared]),
    $type: 'zone.stratos.feed.other',
  }),
  'with a source, which only stubs have': (shared) => ({
    ...postRecord('x', [shared]),
    source: { vary: 'authenticated', subject: { uri: 'at://x', cid: 'x' }, service: 'did:web:x' },
  }),
  'without createdAt': (shared) => without(postRecord('x', [shared]), 'createdAt'),
  'with a createdAt that is no time': (shared) => ({
    ...postRecord('x', [shared]),
    createdAt: 'soon',
  }),
  'with a text that is too long': (shared) => postRecord('x'.repeat(3001), [shared]),
  'with a text that is a number': (shared) => ({ ...postRecord('x', [shared]), text: 42 }),
  'with a number that is not an integer': (shared) => ({ ...postRecord('x', [shared]), odd: 1.5 }),
  'with an embed of a public record': (shared) => ({
    ...postRecord('x', [shared]),
    embed: {
      $type: 'app.bsky.embed.record',
      record: {
        uri: 'at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3jzfcijpj2z2a',
        cid: 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq',
      },
    },
  }),
  'with a reply to a public record': (shared) => {
    const target = {
      uri: 'at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3jzfcijpj2z2a',
      cid: 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq',
    };
    return { ...postRecord('x', [shared]), reply: { root: target, parent: target } };
  },
};

for (const [what, make] of Object.entries(REFUSED)) {
  createRecords.add(`refuses a record ${what}`, async ({ node, people }) => {
    const answer = await people.author.create(make(people.shared, node.did));
    answer.refused(400, 'InvalidRecord', 'InvalidBoundary', 'InvalidRequest');
  });
}

createRecords.add('refuses a record key of wrong syntax', async ({ people }) => {
  for (const rkey of ['..', 'not a key', 'a/b', 'x'.repeat(513), 'self']) {
    const answer = await people.author.create(postRecord('x', [people.shared]), { rkey });
    answer.refused(400, 'InvalidRequest');
  }
});

createRecords.add('refuses a reply that goes beyond its parent', ['operator'], async (world) => {
  const { author, shared } = world.people;
  const both = [shared, world.otherBoundary];
  await world.withBoundaries(author, both);
  const parent = await author.post([shared]);
  (await reply(author, parent, both)).refused(400, 'InvalidRecord');
  written(await reply(author, parent, [shared]));
});

createRecords.add('changes nothing when it refuses', async ({ people }) => {
  const { author, shared } = people;
  const before = await latest(author);
  await author.create(postRecord('x', []));
  await author.create({ ...postRecord('x', [shared]), createdAt: 1 });
  assert.deepEqual(await latest(author), before);
});

createRecords.add('keeps text of all scripts, byte for byte', async ({ people }) => {
  const text = 'Käse 日本語 🦆🏴‍☠️ \u202e مرحبا\n\ttab "quoted" \\ back';
  const { uri, cid } = await people.author.post([people.shared], text);
  const { json } = await people.author.read(uri);
  assert.equal((json['value'] as { text: string }).text, text);
  assert.equal(cid, await cidOf((await encodeRecord(json['value'] as never)).bytes));
});

function reply(author: Person, { uri, cid }: Written, boundaries: readonly string[]) {
  const target = { uri, cid };
  return author.create({
    ...postRecord('A reply', boundaries),
    reply: { root: target, parent: target },
  });
}

async function latest(author: Person): Promise<unknown> {
  const { getLatestCommit } = com.atproto.sync;
  return (await author.query(getLatestCommit, { did: author.did })).ok();
}

function without(record: Record<string, unknown>, field: string): Record<string, unknown> {
  const { [field]: _, ...rest } = record;
  return rest;
}
