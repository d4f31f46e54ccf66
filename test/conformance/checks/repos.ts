import assert from 'node:assert/strict';
import { com, zone } from '@stratos/protocol/lexicons';
import { CheckGroup } from '../check.ts';
import { assertSame } from '../world/answer.ts';
import type { Caller } from '../world/caller.ts';
import type { Method } from '../world/node.ts';

const { describeRepo: describe } = com.atproto.repo;
const { getLatestCommit, listBlobs } = com.atproto.sync;
const { getRepo } = zone.stratos.sync;
const NOBODY = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';

/** com.atproto.repo.describeRepo. */
export const describeRepos = new CheckGroup('describe-repo', ['people']);

describeRepos.add('tells the owner what there is', async ({ people }) => {
  const { author, shared } = people;
  await author.post([shared]);
  const body = (await author.query(describe, { repo: author.did })).ok<Described>();
  assert.equal(body.did, author.did);
  assert.equal((body.didDoc as unknown as { id: string }).id, author.did);
  assert.ok(body.collections.some((nsid) => nsid === zone.stratos.feed.post.$nsid));
});

describeRepos.add('tells the owner a handle, and whether it is theirs', async ({ people }) => {
  const { author } = people;
  const body = (await author.query(describe, { repo: author.did })).ok<Described>();
  assert.equal(body.handleIsCorrect, body.handle !== 'handle.invalid');
});

describeRepos.add('tells a named AppView', ['appView'], async ({ people, appView }) => {
  (await appView.query(describe, { repo: people.author.did })).ok();
});

/** com.atproto.sync.getLatestCommit. */
export const latestCommits = new CheckGroup('latest-commit', ['people']);

latestCommits.add('is the commit of the last write', async ({ people }) => {
  const { author, shared } = people;
  const { commit } = await author.post([shared]);
  assert.deepEqual((await author.query(getLatestCommit, { did: author.did })).ok(), commit);
});

latestCommits.add('is told to a named AppView', ['appView'], async ({ people, appView }) => {
  const { commit } = await people.author.post([people.shared]);
  assert.deepEqual((await appView.query(getLatestCommit, { did: people.author.did })).ok(), commit);
});

const WHOLE: [CheckGroup, Method, 'did' | 'repo'][] = [
  [describeRepos, describe, 'repo'],
  [latestCommits, getLatestCommit, 'did'],
];

for (const [group, method, param] of WHOLE) {
  group.add('needs somebody who says who they are', async ({ node, people }) => {
    const answer = await node.call(method, { params: { [param]: people.author.did } });
    answer.refused(401, 'AuthRequired');
  });
  group.add('is not for other people, whether there is such a repo or not', async ({ people }) => {
    for (const viewer of [people.member, people.outsider] as Caller[]) {
      const hidden = await viewer.query(method, { [param]: people.author.did });
      hidden.refused(404, 'RepoNotFound');
      assertSame(hidden, await viewer.query(method, { [param]: NOBODY }));
    }
  });
  group.add('of a repo that does not exist is not found', ['appView'], async ({ appView }) => {
    (await appView.query(method, { [param]: NOBODY })).refused(404, 'RepoNotFound');
  });
}

/** The whole-repo methods, by which H2 is tried. */
export const WHOLE_REPO_METHODS: [Method, 'did' | 'repo'][] = [
  [describe, 'repo'],
  [getLatestCommit, 'did'],
  [listBlobs, 'did'],
  [getRepo, 'did'],
];

type Described = com.atproto.repo.describeRepo.$OutputBody;
