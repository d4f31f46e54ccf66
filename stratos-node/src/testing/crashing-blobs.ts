import { picture, pictureRecord, upload } from './test-blobs.ts';
import { SWORDSMITH, TestNode, TestPerson } from './test-node.ts';

// Runs as a process of its own: does something with a blob and dies on the way.
const [dataDir = '', where = ''] = process.argv.slice(2);
const rei = TestPerson.named('rei');
const node = await TestNode.start({ people: [rei], dataDir });
const die = async () => {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
};
await node.enroll(rei, [SWORDSMITH]);
if (where === 'upload') {
  node.ctx.locks.run = async () => die() as never;
  await upload(node, rei, picture('a'));
}
const record = pictureRecord(await upload(node, rei, picture('a')));
if (where === 'before the commit') {
  node.ctx.actors.write = async () => die() as never;
  await node.createPost(rei, record);
}
if (where === 'after the commit') {
  node.ctx.blobSweep.tidy = die;
  await node.createPost(rei, record);
}
const { uri } = await node.createPost(rei, record);
if (where === 'after the deletion') node.ctx.blobSweep.tidy = die;
await node.deletePost(rei, uri);
