import { parseArgs } from 'node:util';

/** A command line that cannot be understood; the message is for the person who typed it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export interface StartArguments {
  readonly fresh: boolean;
  readonly ephemeral: boolean;
  readonly help: boolean;
}

export interface TokenArguments {
  readonly handle: string;
  /** Set when the token of the PDS itself is wanted. */
  readonly serviceAuth?: { readonly lxm?: string; readonly audience?: string };
}

export const START_USAGE = `npm start                   a local network; its data stays in data/local
npm start -- --fresh        begins anew: removes the data of earlier starts first
npm start -- --ephemeral    keeps nothing`;

export const TOKEN_USAGE = `npm run --silent token -- <handle>
    a session token of the gateway, good for 10 minutes
npm run --silent token -- <handle> --service-auth [--lxm NSID] [--aud DID]
    a token of the PDS, good for one call of one method`;

/** Throws {@link UsageError}. */
export function parseStartArguments(args: readonly string[]): StartArguments {
  const { values } = parse(START_USAGE, () =>
    parseArgs({
      args: [...args],
      options: {
        fresh: { type: 'boolean', default: false },
        ephemeral: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  );
  return values;
}

/** Throws {@link UsageError}. */
export function parseTokenArguments(args: readonly string[]): TokenArguments {
  const { values, positionals } = parse(TOKEN_USAGE, () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'service-auth': { type: 'boolean', default: false },
        lxm: { type: 'string' },
        aud: { type: 'string' },
      },
    }),
  );
  const [handle, ...rest] = positionals;
  if (!handle || rest.length > 0) throw usage('Say for which account, and only one.', TOKEN_USAGE);
  const { 'service-auth': serviceAuth, lxm, aud } = values;
  if (!serviceAuth && (lxm ?? aud) !== undefined) {
    throw usage('--lxm and --aud go with --service-auth.', TOKEN_USAGE);
  }
  if (!serviceAuth) return { handle };
  return { handle, serviceAuth: { ...(lxm ? { lxm } : {}), ...(aud ? { audience: aud } : {}) } };
}

function parse<T>(usageText: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw usage((error as Error).message, usageText);
  }
}

function usage(problem: string, text: string): UsageError {
  return new UsageError(`${problem}\n\n${text}`);
}
