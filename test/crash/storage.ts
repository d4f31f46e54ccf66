import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@stratos/prisma';

export const BACKENDS = ['sqlite', 'postgres'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Where a node keeps its data, for as long as this is not disposed. */
export interface Storage extends AsyncDisposable {
  readonly env: Record<string, string>;
}

/** A folder, or a Postgres of our own, which lives on when the node is killed. */
export async function openStorage(backend: Backend): Promise<Storage> {
  const stack = new AsyncDisposableStack();
  const close = { [Symbol.asyncDispose]: () => stack.disposeAsync() };
  if (backend === 'sqlite') return { env: { STORAGE_BACKEND: backend }, ...close };
  const folder = await mkdtemp(join(tmpdir(), 'stratos-crash-postgres-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({
    dataDir: join(folder, 'data'),
    port: 0,
    persistent: false,
  });
  stack.use(postgres);
  await postgres.createDatabase('node');
  const url = postgres.url('node');
  return { env: { STORAGE_BACKEND: backend, STRATOS_POSTGRES_URL: url }, ...close };
}
