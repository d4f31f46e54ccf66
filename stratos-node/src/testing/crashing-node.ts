import { postRecord, SWORDSMITH, TestNode, TestPerson } from './test-node.ts';

// Runs as a process of its own: writes a post and dies between the two databases.
const [dataDir = '', where = ''] = process.argv.slice(2);
const rei = TestPerson.named('rei');
const node = await TestNode.start({ people: [rei], dataDir });
const die = async () => {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
};
if (where === 'enroll') node.ctx.publisher.publishWithin = die;
await node.enroll(rei, [SWORDSMITH]);
await node.createPost(rei, postRecord('acknowledged'));
process.send?.('acknowledged');
if (where === 'publish') node.ctx.publisher.publish = die;
await node.createPost(rei, postRecord('written but not published'));
