import { request } from 'node:http';
import { com } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { SWORDSMITH, TestNode, TestPerson } from '../../../../testing/test-node.ts';

const { $nsid } = com.atproto.repo.uploadBlob;
const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');

async function statusOf(node: TestNode, person: TestPerson): Promise<number> {
  const headers = {
    authorization: await person.authorization($nsid),
    'content-type': 'text/plain',
  };
  const url = `${node.url}/xrpc/${$nsid}`;
  return (await fetch(url, { method: 'POST', headers, body: 'some text' })).status;
}

it('takes a few uploads of one person at a time, and holds up nobody else', async () => {
  await using node = await TestNode.start({ people: [rei, sakura] });
  for (const person of [rei, sakura]) await node.enroll(person, [SWORDSMITH]);
  const begun = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const authorization = await rei.authorization($nsid);
      const headers = { authorization, 'content-type': 'text/plain', 'content-length': 1_000 };
      const upload = request(`${node.url}/xrpc/${$nsid}`, { method: 'POST', headers });
      upload.on('error', () => {}).write('the beginning');
      return upload;
    }),
  );
  await expect.poll(() => statusOf(node, rei), { timeout: 10_000 }).toBe(429);
  expect(await statusOf(node, sakura)).toBe(200);
  for (const upload of begun) upload.destroy();
  await expect.poll(() => statusOf(node, rei), { timeout: 10_000 }).toBe(200);
});
