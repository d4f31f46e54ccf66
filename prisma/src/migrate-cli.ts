import { migrate } from './migrations/migrate.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  console.error('DATABASE_URL is not set');
  process.exit(1);
}
const applied = await migrate(databaseUrl);
for (const name of applied) console.log(`applied ${name}`);
console.log('the database is up to date');
