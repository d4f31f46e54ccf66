import { writeFile } from 'node:fs/promises';
import { printGraphqlSchema, SCHEMA_FILE } from './print.ts';

await writeFile(SCHEMA_FILE, printGraphqlSchema());
