import { registerHooks } from 'node:module';
import { FakePds } from './fake-pds.ts';
import { postRecord, SWORDSMITH, TestNode, TestPerson } from './test-node.ts';

// Runs as a process of its own: writes a post with the tracing that its environment asks for.
let isLoaded = false;
registerHooks({
  load(url, context, nextLoad) {
    isLoaded ||= url.includes('/@opentelemetry/');
    return nextLoad(url, context);
  },
});
const { openTracing } = await import('@stratos/protocol/telemetry');
const rei = TestPerson.named('rei');
{
  await using pds = await FakePds.start();
  await using node = await TestNode.start({
    people: [rei],
    findPdsSession: pds.sessions,
    tracing: await openTracing(process.env, 'stratos-node'),
  });
  await node.enroll(rei, [SWORDSMITH]);
  await node.createPost(rei, postRecord('hidden words'));
  await node.ctx.outbox.settled(rei.did, 5_000);
}
if (!isLoaded) console.log('OpenTelemetry was not loaded');
