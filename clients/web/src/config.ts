import { type Did, isDid, type Service } from '@stratos/client';

/** What `config.json` beside the page says. */
export interface Config {
  gateway: Service;
  /** The directory of `did:plc`. */
  plcUrl: string;
  /** Who knows handles, and people whose handle begins with something. */
  handleResolver: string;
  /** Where the metadata of the OAuth client is; a page of the loopback needs none. */
  clientId: string | undefined;
  /** Nodes that are offered to enroll with. */
  nodes: Did[];
  /** Accounts that are offered to sign in with. */
  accounts: string[];
}

const PLC_URL = 'https://plc.directory';
const HANDLE_RESOLVER = 'https://public.api.bsky.app';

/** Throws where there is none that can be used. */
export async function loadConfig(): Promise<Config> {
  const response = await fetch('./config.json', { cache: 'no-cache' });
  if (!response.ok) throw new Error(`config.json was answered with ${response.status}`);
  return readConfig(await response.json());
}

export function readConfig(json: unknown): Config {
  const { gateway, plcUrl, handleResolver, clientId, nodes, accounts } = Object(json);
  const { did, url } = Object(gateway);
  if (!isDid(did) || !isText(url)) throw new Error('config.json names no gateway');
  return {
    gateway: { did, url },
    plcUrl: isText(plcUrl) ? plcUrl : PLC_URL,
    handleResolver: isText(handleResolver) ? handleResolver : HANDLE_RESOLVER,
    clientId: isText(clientId) ? clientId : undefined,
    nodes: listOf(nodes).filter(isDid),
    accounts: listOf(accounts).filter(isText),
  };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
