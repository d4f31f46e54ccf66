import { glob, readFile } from 'node:fs/promises';
import { importViolations, type Violation } from './import-directions.ts';

const violations: Violation[] = [];
let files = 0;
const sources = glob('{protocol,stratos-node,prisma,indexer,schema,gateway,clients,test}/**/*.ts', {
  exclude: (path) => /(^|\/)(node_modules|generated)(\/|$)/.test(path),
});
for await (const file of sources) {
  files++;
  violations.push(...importViolations(file, await readFile(file, 'utf8')));
}
for (const { file, specifier, why } of violations) console.error(`${file}: '${specifier}': ${why}`);
console.log(`Import directions: ${files} files, ${violations.length} violations`);
process.exitCode = violations.length > 0 || files === 0 ? 1 : 0;
