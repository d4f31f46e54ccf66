import { z } from 'zod';
import { type Did, isDid } from './identifiers.ts';

/** Environment variables that are missing or cannot be used. The message names each. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** `true`, `false`, `1` or `0`, and nothing else. */
export const flag = z
  .enum(['true', 'false', '1', '0'], { error: 'must be true, false, 1 or 0' })
  .transform((value) => value === 'true' || value === '1');

export const port = z.coerce.number().int().min(0).max(65_535);

export const did = z.custom<Did>(isDid, 'must be a DID');

/** An http(s) URL, without a trailing slash. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  .transform((value) => value.replace(/\/+$/, ''));

export const postgresUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a postgres:// URL',
});

/** Items between commas; spaces around them and empty ones do not count. */
export const commaList = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** What every service reads from its environment, under the same names. */
export const commonVariables = {
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  STRATOS_PLC_URL: httpUrl.default('https://plc.directory'),
  STRATOS_HANDLE_RESOLVER_URL: httpUrl.optional(),
  STRATOS_DEV_MODE: flag.default(false),
};

/**
 * Reads the environment of a service. A variable that is set to nothing counts as not set.
 *
 * @throws {@link ConfigError}
 */
export function parseEnvironment<T extends z.ZodType>(
  variables: T,
  environment: Record<string, string | undefined>,
): z.output<T> {
  const given = Object.entries(environment).filter(([, value]) => value);
  const parsed = variables.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map(describe).join('; '));
}

/**
 * Development shortcuts must not reach a public service, nor plain http any other.
 *
 * @param variable - the one that the public URL came from
 * @throws {@link ConfigError}
 */
export function refuseDevModeInPublic(devMode: boolean, publicUrl: string, variable: string): void {
  const isPublic = publicUrl.startsWith('https:');
  if (devMode && isPublic) {
    throw new ConfigError(`STRATOS_DEV_MODE: cannot be on while ${variable} is https`);
  }
  if (!devMode && !isPublic) {
    throw new ConfigError(`${variable}: must be https unless STRATOS_DEV_MODE is on`);
  }
}

/** Where a service listens: everywhere, but in development on this machine alone. */
export function listenHost(devMode: boolean): string | undefined {
  return devMode ? '127.0.0.1' : undefined;
}

function describe(issue: z.core.$ZodIssue): string {
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  return `${issue.path.join('.')}: ${isMissing ? 'is required' : issue.message}`;
}
