import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedis, startRedis } from '@stratos/gateway/testing';
import { startEmbeddedPostgres } from '@stratos/prisma';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../network/src/index.ts';
import { interpolate, readCompose, readEnvFile } from './compose.ts';
import { buildImage, type Image } from './image.ts';
import { ImageProcess } from './service.ts';

const PROJECT = join(import.meta.dirname, '../..');
const BUILD_MS = 900_000;

describe.each(['gateway/compose.yaml', 'stratos-node/compose.yaml'])('%s', async (file) => {
  const folder = join(PROJECT, file, '..');
  const { services, volumes } = await readCompose(join(PROJECT, file));
  const all = Object.entries(services);

  test('names files and volumes that there are', () => {
    for (const [name, { build, volumes: mounts }] of all) {
      if (build) expect(existsSync(join(folder, build.context, build.dockerfile)), name).toBe(true);
      for (const [source = ''] of mounts.map((mount) => mount.split(':'))) {
        const isThere = source.startsWith('.')
          ? existsSync(join(folder, source))
          : source in volumes;
        expect(isThere, source).toBe(true);
      }
    }
  });

  test('waits only for services that say when they are well', async () => {
    for (const [, { depends_on }] of all) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const { build, healthcheck, image } = services[name] ?? {};
        expect(build ?? image, name).toBeDefined();
        if (condition !== 'service_healthy') continue;
        const dockerfile = build && join(folder, build.context, build.dockerfile);
        const text = dockerfile ? await readFile(dockerfile, 'utf8') : '';
        expect(healthcheck ?? text.match(/^HEALTHCHECK/m), name).toBeTruthy();
      }
    }
  });

  test('asks for variables that its example has', async () => {
    const examples: Record<string, string> = {
      'gateway/compose.yaml': 'appview.env.example',
      'stratos-node/compose.yaml': 'node.env.example',
    };
    const example = await readFile(join(folder, examples[file] ?? ''), 'utf8');
    const asked = (await readFile(join(PROJECT, file), 'utf8')).matchAll(/\$\{(\w+)/g);
    for (const [, name] of asked) expect(example).toContain(`${name}=`);
  });
});

describe.runIf(hasRedis)('the images of the AppView', () => {
  let folder: string;
  let images: Record<'gateway' | 'indexer', Image>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stratos-images-'));
    const [gateway, indexer] = await Promise.all(
      ['gateway', 'indexer'].map((name) => buildImage(`${name}/Dockerfile`, join(folder, name))),
    );
    if (!gateway || !indexer) throw new Error('there are two');
    images = { gateway, indexer };
  }, BUILD_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }), 60_000);

  test(
    'start in the environment of the compose file, two gateways among them, and stop',
    async () => {
      const { services } = await readCompose(join(PROJECT, 'gateway/compose.yaml'));
      const example = await readEnvFile(join(PROJECT, 'gateway/appview.env.example'));
      const settings = Object.fromEntries(
        Object.entries(example).map(([name, value]) => [name, value || `secret-of-${name}`]),
      );
      await using postgres = await startEmbeddedPostgres({
        dataDir: join(folder, 'postgres'),
        port: 0,
        persistent: false,
      });
      await using redis = await startRedis();
      await makeLogins(postgres.url('postgres'), settings);

      /** What a container gets, with the places of this machine for those of containers. */
      function environment(service: string, image: Image, port: number): Record<string, string> {
        const own = Object.entries(services[service]?.environment ?? {});
        const values = {
          ...image.env,
          ...settings,
          ...Object.fromEntries(own.map(([name, value]) => [name, interpolate(value, settings)])),
          INDEXER_FIREHOSE_URL: 'wss://relay.invalid',
          [service === 'indexer' ? 'INDEXER_PORT' : 'GATEWAY_PORT']: String(port),
        };
        return Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            value
              .replace(/^\/keys/, join(folder, 'gateway/final/keys'))
              .replace('@postgres/', `@127.0.0.1:${postgres.port}/`)
              .replace('redis://valkey', redis.url),
          ]),
        );
      }

      const ports = await freePorts();
      const started: ImageProcess[] = [];
      for (const [service, image, port] of [
        ['indexer', images.indexer, ports.indexer],
        ['gateway-1', images.gateway, ports.gateway],
        ['gateway-2', images.gateway, ports.nodeA],
      ] as const) {
        const process = new ImageProcess(image, environment(service, image, port));
        started.push(process);
        await process.healthy();
      }
      try {
        for (const port of [ports.gateway, ports.nodeA]) {
          const url = `http://127.0.0.1:${port}`;
          expect((await fetch(`${url}/ready`)).status).toBe(200);
          expect((await fetch(`${url}/lexicons`)).status).toBe(200);
          expect(await (await fetch(`${url}/.well-known/did.json`)).json()).toMatchObject({
            id: settings['APPVIEW_DID'],
          });
        }
      } finally {
        const codes = await Promise.all(started.map((process) => process.stop()));
        expect(codes).toEqual([0, 0, 0]);
      }
    },
    BUILD_MS,
  );
});

/** What the script does that the compose file has Postgres begin with. */
async function makeLogins(url: string, settings: Record<string, string>): Promise<void> {
  const script = await readFile(join(PROJECT, 'gateway/logins.sh'), 'utf8');
  const sql = /<<'SQL'\n(.*)\nSQL/s.exec(script)?.[1] ?? '';
  await using stack = new AsyncDisposableStack();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  stack.defer(() => client.end());
  for (const statement of sql.split(';')) {
    await client.query(
      statement.replaceAll(/:'(\w+)'/g, (_, name: string) =>
        client.escapeLiteral(settings[`${name.toUpperCase()}_PG_PASSWORD`] ?? ''),
      ),
    );
  }
}
