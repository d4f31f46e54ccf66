import { ProofError } from '@stratos/protocol';
import { checkExportedLog, ExportError } from './enrollment/exported-log.ts';

const USAGE = 'STRATOS_ADMIN_PASSWORD=… node stratos-node/src/verify-log.ts <URL of the node>';

/** Checks the membership log of a running node, and prints its head. */
async function main(): Promise<void> {
  const [nodeUrl = '', ...rest] = process.argv.slice(2);
  const password = process.env['STRATOS_ADMIN_PASSWORD'];
  if (!URL.canParse(nodeUrl) || rest.length > 0 || !password) throw new ExportError(USAGE);
  const { service, head, standings } = await checkExportedLog(nodeUrl, password);
  const active = [...standings.values()].filter((standing) => standing.active);
  console.log(`node     ${service}`);
  console.log(`entries  ${head?.seq ?? 0}, all signed and chained`);
  console.log(`head     ${head?.cid ?? 'none'}`);
  console.log(`people   ${active.length} enrolled, ${standings.size - active.length} left`);
}

main().catch((error: unknown) => {
  const isExpected = error instanceof ProofError || error instanceof ExportError;
  console.error(isExpected ? error.message : error);
  process.exitCode = 1;
});
