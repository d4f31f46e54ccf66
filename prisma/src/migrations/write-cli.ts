import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../embedded/embedded-postgres.ts';
import { writeMigration } from './write-migration.ts';

const title = process.argv[2];
if (!title || !/^[a-z0-9_]+$/.test(title)) {
  console.error('usage: npm run migration -w prisma -- <name_in_snake_case>');
  process.exit(1);
}
// The engine compares two texts, but will not start without a server to talk to.
const dataDir = await mkdtemp(join(tmpdir(), 'stratos-migration-'));
await using postgres = await startEmbeddedPostgres({ dataDir, port: 0, persistent: false });
const name = await writeMigration(title, postgres.url('postgres'));
console.log(name ? `wrote migrations/${name}` : 'schema.prisma has not changed');
