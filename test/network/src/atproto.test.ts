import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { com } from '@stratos/protocol/lexicons';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Account } from './account.ts';
import { DEMO_PASSWORD } from './demo/accounts.ts';
import { openDemoAccounts } from './demo/seed.ts';
import { openGround } from './ground.ts';
import { freePorts, type Ports } from './ports.ts';
import { Service, ServiceStartError } from './service.ts';
import { atprotoDefinition } from './service-definitions.ts';

let dataDir: string;
let ports: Ports;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stratos-atproto-test-'));
  ports = await freePorts();
});

afterAll(() => rm(dataDir, { recursive: true, force: true }));

interface Atproto extends AsyncDisposable {
  readonly service: Service;
  readonly pdsUrl: string;
  /** How the service ended each time that nobody had asked it to. */
  readonly deaths: readonly string[];
}

/** PLC and PDS of the test's folder, as `npm start` has them. */
async function startAtproto(): Promise<Atproto> {
  await using stack = new AsyncDisposableStack();
  const { plan } = stack.use(await openGround({ dataDir, ports }));
  const deaths: string[] = [];
  const service = stack.use(
    new Service(atprotoDefinition(plan), plan.folder, (_service, how) => deaths.push(how)),
  );
  await service.start();
  const owned = stack.move();
  return {
    service,
    deaths,
    pdsUrl: plan.topology.pdsUrl,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

it('keeps accounts and identities from one start to the next', async () => {
  let dids: Map<string, string>;
  {
    await using atproto = await startAtproto();
    const accounts = await openDemoAccounts(atproto.pdsUrl);
    dids = new Map([...accounts].map(([handle, { did }]) => [handle, did]));
    expect([...dids.keys()]).toEqual([
      'rei.test',
      'sakura.test',
      'kaoruko.test',
      'haruki.test',
      'mika.test',
    ]);
  }
  await using atproto = await startAtproto();
  const again = await openDemoAccounts(atproto.pdsUrl);
  expect(new Map([...again].map(([handle, { did }]) => [handle, did]))).toEqual(dids);
  for (const [handle, did] of dids) {
    const document = await fetch(`http://localhost:${ports.plc}/${did}`).then((it) => it.json());
    expect(document).toMatchObject({
      id: did,
      alsoKnownAs: [`at://${handle}`],
      service: [{ serviceEndpoint: atproto.pdsUrl }],
    });
  }
});

it('has the PDS say who calls, whom and for what', async () => {
  await using atproto = await startAtproto();
  const [account] = (await openDemoAccounts(atproto.pdsUrl)).values();
  const token = await account?.serviceAuth({
    audience: 'did:web:localhost%3A1',
    lxm: com.atproto.repo.createRecord.$lxm,
  });
  const payload = JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString());
  expect(payload).toMatchObject({
    iss: account?.did,
    aud: 'did:web:localhost%3A1',
    lxm: com.atproto.repo.createRecord.$lxm,
  });
  expect(payload.exp - payload.iat).toBeLessThanOrEqual(60);
});

it('refuses a wrong password and an unknown account', async () => {
  await using atproto = await startAtproto();
  await openDemoAccounts(atproto.pdsUrl);
  for (const name of [
    { handle: 'rei.test', password: 'wrong' },
    { handle: 'nobody.test', password: DEMO_PASSWORD },
  ]) {
    await expect(Account.signIn(atproto.pdsUrl, name)).rejects.toMatchObject({ status: 401 });
  }
});

it('comes back after it was killed, and says so when nobody meant it to be', async () => {
  await using atproto = await startAtproto();
  const { service, deaths } = atproto;
  await service.kill('SIGKILL');
  expect(service.isRunning).toBe(false);
  expect(deaths).toEqual([]);
  await expect(fetch(`${atproto.pdsUrl}/xrpc/_health`)).rejects.toThrow();
  expect(await readFile(service.envFile, 'utf8')).toContain(`PDS_PORT=${ports.pds}\n`);
  expect((await stat(service.envFile)).mode & 0o777).toBe(0o600);
  await service.start();
  await Account.signIn(atproto.pdsUrl, { handle: 'rei.test', password: DEMO_PASSWORD });
  process.kill(service.pid ?? 0, 'SIGKILL');
  await expect.poll(() => deaths).toEqual(['SIGKILL']);
  expect(service.isRunning).toBe(false);
});

it('says what a service said last when it does not start', async () => {
  await using ground = await openGround({ ephemeral: true, ports: 'free' });
  const definition = atprotoDefinition(ground.plan);
  const broken = { ...definition, env: { ...definition.env, PDS_JWT_SECRET: '' } };
  await using service = new Service(broken, ground.plan.folder, () => {});
  const start = service.start();
  await expect(start).rejects.toThrow(ServiceStartError);
  await expect(start).rejects.toThrow(/Must provide a JWT secret/);
  expect(service.isRunning).toBe(false);
});
