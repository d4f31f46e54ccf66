import { run } from './program.ts';

process.umask(0o077);
process.exitCode = await run(process.argv.slice(2));
