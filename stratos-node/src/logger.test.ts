import { Writable } from 'node:stream';
import { com, zone } from '@stratos/protocol/lexicons';
import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { FakePds } from './testing/fake-pds.ts';
import { StreamClient } from './testing/stream-client.ts';
import {
  ADMIN_PASSWORD,
  AEKEA,
  postRecord,
  SWORDSMITH,
  TestNode,
  TestPerson,
} from './testing/test-node.ts';

const rei = TestPerson.named('rei');
const sakura = TestPerson.named('sakura');
const CANARY = 'canary words';

function recorded() {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { logger: createLogger('trace', destination), lines };
}

it('writes down a busy session without tokens, passwords or content', async () => {
  const { logger, lines } = recorded();
  await using pds = await FakePds.start();
  pds.plan.push(500, 400, 'hang up');
  const people = [rei, sakura];
  const tokens: string[] = [];
  {
    await using node = await TestNode.start({ people, logger, findPdsSession: pds.sessions });
    const tokenOf = async (nsid: string) => {
      const token = await rei.authorization(nsid);
      tokens.push(token.slice('Bearer '.length));
      return token;
    };
    const post = zone.stratos.feed.post.$nsid;
    const create = com.atproto.repo.createRecord.$nsid;
    await node.enroll(rei, [SWORDSMITH]);
    await node.enroll(sakura, [SWORDSMITH]);
    const token = await tokenOf(create);
    const body = { repo: rei.did, collection: post, record: postRecord(CANARY) };
    expect((await node.post(create, body, token)).status).toBe(200);
    expect((await node.post(create, body, token)).status).toBe(401);
    await node.tryPost(rei, { ...postRecord(CANARY), text: { [CANARY]: CANARY } });
    await node.tryPost(rei, postRecord(CANARY, [AEKEA]));
    await node.tryPost(rei, postRecord(CANARY.repeat(50_000)));
    for (const text of [`{"${CANARY}`, `${CANARY}`]) {
      await fetch(`${node.url}/xrpc/${create}`, {
        method: 'POST',
        headers: { authorization: await tokenOf(create), 'content-type': 'application/json' },
        body: text,
      });
    }
    const query = { syncToken: CANARY, ticket: CANARY, code: CANARY, state: CANARY };
    for (const path of ['/oauth/callback', `/xrpc/${zone.stratos.sync.subscribeService.$nsid}`]) {
      await fetch(`${node.url}${path}?${new URLSearchParams(query)}`, {
        headers: { cookie: CANARY, dpop: CANARY, authorization: `DPoP ${CANARY}` },
      });
    }
    await node.operator(zone.stratos.admin.removeBoundary.$nsid, {
      did: sakura.did,
      boundary: SWORDSMITH,
    });
    await node.get(zone.stratos.admin.getStatus.$nsid, {}, `Bearer ${CANARY}`);
    await using stream = await StreamClient.open(node, node.appView, 0);
    await stream.until((client) => client.of('#heartbeat').length > 0);
    await node.ctx.outbox.settled(rei.did, 5_000);
    node.ctx.service.events.head = () => Promise.reject(new Error(`broken at "${CANARY}"`));
    await fetch(`${node.url}/ready`);
  }
  const log = lines.join('');
  expect(lines.length).toBeGreaterThan(10);
  expect(log).toContain(`"method":"${com.atproto.repo.createRecord.$nsid}","status":200`);
  expect(log).not.toContain('canary');
  expect(log).not.toContain(ADMIN_PASSWORD);
  expect(log).not.toContain(Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64'));
  for (const token of tokens) expect(log).not.toContain(token.split('.')[2]);
});

it('blanks secrets wherever they sit', () => {
  const { logger, lines } = recorded();
  const secrets = { authorization: 's3cret', dpop: 's3cret', ticket: 's3cret', tokenSet: {} };
  logger.info(secrets);
  logger.info({ req: { headers: { ...secrets, 'set-cookie': 's3cret' } } });
  logger.info({ a: { b: { c: { syncToken: 's3cret', refresh_token: 's3cret' } } } });
  expect(lines.join('')).not.toContain('s3cret');
  expect(lines.join('').match(/\[Redacted\]/g)?.length).toBe(11);
});

it('says of errors what and where, with causes, and nothing that they quote', () => {
  const { logger, lines } = recorded();
  const quoting = new SyntaxError(`Unexpected token in "${CANARY}"`);
  const cause = Object.assign(
    new Error(`GET https://a.example/x?token=${encodeURIComponent(CANARY)} failed`),
    {
      code: 'EFAIL',
      response: { body: CANARY },
    },
  );
  logger.error({ err: Object.assign(new Error('it broke', { cause }), { record: CANARY }) }, 'a');
  logger.error({ err: quoting }, 'b');
  const [first, second] = lines.map((line) => JSON.parse(line).err);
  expect(first).toMatchObject({
    type: 'Error',
    message: 'it broke',
    cause: { type: 'Error', code: 'EFAIL', message: 'GET https://a.example/x?… failed' },
  });
  expect(first.stack).toMatch(/^\s+at .*logger\.test\.ts/);
  expect(second).toMatchObject({ type: 'SyntaxError', stack: expect.stringMatching(/ at /) });
  expect(lines.join('')).not.toContain('canary');
});
