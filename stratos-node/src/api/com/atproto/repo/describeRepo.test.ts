import { com, zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from '../../../../testing/test-node.ts';

it('says what there is in a repo and at which commit it is', async () => {
  const rei = TestPerson.named('rei');
  await using node = await TestNode.start({ people: [rei] });
  await node.enroll(rei, [SWORDSMITH]);
  const describeRepo = async () => {
    const params = { repo: rei.did };
    return (await node.query(rei, com.atproto.repo.describeRepo.$nsid, params)).json();
  };
  const latest = async () => {
    const params = { did: rei.did };
    return (await node.query(rei, com.atproto.sync.getLatestCommit.$nsid, params)).json();
  };
  const before = await latest();
  expect(await describeRepo()).toEqual({
    did: rei.did,
    handle: 'handle.invalid',
    handleIsCorrect: false,
    didDoc: JSON.parse(JSON.stringify(rei.didDocument)),
    collections: [],
  });
  const { uri, commit } = await node.createPost(rei, postRecord('one'));
  expect(await latest()).toEqual(commit);
  expect(commit?.rev && commit.rev > before.rev).toBe(true);
  expect((await describeRepo()).collections).toEqual([zone.stratos.feed.post.$nsid]);
  await node.deletePost(rei, uri);
  expect((await describeRepo()).collections).toEqual([]);
});
