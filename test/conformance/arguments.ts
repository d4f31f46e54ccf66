import { parseArgs } from 'node:util';

/** A command line that cannot be understood; the message is for the person who typed it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const USAGE = `npm run conformance -- <url>          checks the Stratos node there, as far as strangers can
npm run conformance -- --local [sqlite|postgres]
                                       starts a node of this project with people, and checks it

  --accounts <file>      JSON: [{"handle", "password", "pds"?, "newcomer"?}, …]; at least three who are
                         enrolled: two that share a boundary and one outside of it. One with
                         "newcomer": true is enrolled and unenrolled by the suite. 'pds' is the URL where
                         they sign in; use app passwords, and accounts that nothing hangs on.
  --appview-key <file>   the hex of the secp256k1 key of an AppView that the node names
  --appview-did <did>    and its DID
  --only <group>         one group of checks alone; may be repeated
  --json                 the report as JSON
  --list                 the checks and what they need, without running any

STRATOS_ADMIN_PASSWORD in the environment lets the suite do what the operator does.
What it writes to the node, it deletes again.`;

export interface ConformanceArguments {
  target: { kind: 'url'; url: URL } | { kind: 'local'; backend: 'sqlite' | 'postgres' } | undefined;
  accounts: string | undefined;
  appView: { keyFile: string; did: string } | undefined;
  only: readonly string[];
  json: boolean;
  list: boolean;
  help: boolean;
}

/** Throws {@link UsageError}. */
export function parseConformanceArguments(args: readonly string[]): ConformanceArguments {
  const { values, positionals } = parse(args);
  const [first, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`One node at a time, please.\n\n${USAGE}`);
  const { 'appview-key': keyFile, 'appview-did': did } = values;
  if ((keyFile === undefined) !== (did === undefined)) {
    throw new UsageError('--appview-key and --appview-did belong together');
  }
  return {
    target: targetOf(values.local, first),
    accounts: values.accounts,
    appView: keyFile !== undefined && did !== undefined ? { keyFile, did } : undefined,
    only: values.only,
    json: values.json,
    list: values.list,
    help: values.help,
  };
}

function targetOf(isLocal: boolean, first: string | undefined): ConformanceArguments['target'] {
  if (isLocal) {
    const backend = first ?? 'sqlite';
    if (backend !== 'sqlite' && backend !== 'postgres') {
      throw new UsageError(`There is no backend '${backend}'; it is sqlite or postgres`);
    }
    return { kind: 'local', backend };
  }
  if (first === undefined) return undefined;
  if (!/^https?:\/\//.test(first) || !URL.canParse(first)) {
    throw new UsageError(`'${first}' is not the http(s) URL of a node`);
  }
  return { kind: 'url', url: new URL(first) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        accounts: { type: 'string' },
        'appview-key': { type: 'string' },
        'appview-did': { type: 'string' },
        only: { type: 'string', multiple: true, default: [] },
        local: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}
