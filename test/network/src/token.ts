import { zone } from '@stratos/protocol/lexicons';
import { Account } from './account.ts';
import { parseTokenArguments, UsageError } from './arguments.ts';
import { DEMO_PASSWORD } from './demo/accounts.ts';
import { PORTS, PortError, portsFromEnvironment } from './ports.ts';
import { topologyOf } from './topology.ts';

/** `npm run token`: only the token goes to standard output. */
async function main(): Promise<void> {
  const { handle, serviceAuth } = parseTokenArguments(process.argv.slice(2));
  const { pdsUrl, gateway } = topologyOf(portsFromEnvironment(process.env));
  const account = await signIn(pdsUrl, handle);
  if (serviceAuth) {
    const audience = serviceAuth.audience ?? gateway.did;
    const lxm = serviceAuth.lxm ?? zone.stratos.feed.getTimeline.$lxm;
    console.log(await account.serviceAuth({ audience, lxm }));
    return;
  }
  const session = await account.gatewaySession(gateway).catch((error: unknown) => {
    throw isUnreachable(error) ? notRunning('gateway', gateway.url) : error;
  });
  console.log(session.token);
}

async function signIn(pdsUrl: string, handle: string): Promise<Account> {
  try {
    return await Account.signIn(pdsUrl, { handle, password: DEMO_PASSWORD });
  } catch (error) {
    if ((error as { status?: number }).status === 401) {
      throw new UsageError(
        `The PDS at ${pdsUrl} has no account '${handle}' with the password '${DEMO_PASSWORD}'.`,
      );
    }
    throw isUnreachable(error) ? notRunning('pds', pdsUrl) : error;
  }
}

function isUnreachable(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ((each as NodeJS.ErrnoException).code === 'ECONNREFUSED') return true;
    if (each instanceof AggregateError && each.errors.some(isUnreachable)) return true;
  }
  return false;
}

function notRunning(port: 'pds' | 'gateway', url: string): UsageError {
  return new UsageError(
    `Nobody answers at ${url}. Is the local network running (npm start)? On another port, say which: ${PORTS[port].variable}=…`,
  );
}

main().catch((error: unknown) => {
  const expected = error instanceof UsageError || error instanceof PortError;
  console.error(expected ? (error as Error).message : error);
  process.exitCode = 1;
});
