import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '@stratos/protocol/cli';
import type { Command } from 'commander';
import { AdminClient } from './admin-client.ts';
import { password } from './password.ts';

/** Options that every command has. */
export interface Settings {
  url?: string;
  dataDir?: string;
  json?: boolean;
}

/** A client for the node that the command is about. */
export async function adminClientOf(command: Command): Promise<AdminClient> {
  return new AdminClient(nodeUrlOf(command), await password());
}

/** Throws {@link CliError} if there is no URL, or one over which a password must not go. */
export function nodeUrlOf(command: Command): URL {
  const given = command.optsWithGlobals<Settings>().url ?? process.env['STRATOS_PUBLIC_URL'];
  if (!given) throw new CliError('which node? Give --url or set STRATOS_PUBLIC_URL');
  if (!URL.canParse(given)) throw new CliError(`not a URL: ${given}`);
  const url = new URL(given);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) {
    throw new CliError(`the password is sent over https, or to this machine alone: ${url.origin}`);
  }
  return url;
}

/** Throws {@link CliError} for a folder in which no node keeps its data. */
export function dataDirOf(command: Command): string {
  const dataDir =
    command.optsWithGlobals<Settings>().dataDir ?? process.env['STRATOS_DATA_DIR'] ?? './data';
  if (process.env['STORAGE_BACKEND'] === 'postgres') {
    throw new CliError('the databases are in Postgres: use pg_dump, see docs/operator.md');
  }
  if (!existsSync(join(dataDir, 'service.sqlite'))) {
    throw new CliError(`no node keeps its data in ${dataDir}`);
  }
  return dataDir;
}

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<Settings>().json === true;
}
