import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ConfigError } from '@stratos/protocol/environment';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';

/** What an operator's own machines are in, and strangers are not. */
const OWN_NETWORKS = new Set(['loopback', 'private', 'linkLocal', 'uniqueLocal']);

/** Where a request comes from, as far as that can be believed. */
export type ClientAddress = (req: IncomingMessage) => string;

/**
 * Believes `X-Forwarded-For` as far as it was written by the operator's own proxies.
 *
 * @param trusted - addresses, networks, or `loopback`, `linklocal`, `uniquelocal`
 * @param onUnnamedProxy - called once, with the address of what seems to be a proxy of the operator and is
 *   not named
 * @throws ConfigError for anything but such names
 */
export function createClientAddress(
  trusted: readonly string[],
  onUnnamedProxy: (address: string) => void = () => {},
): ClientAddress {
  const isTrusted = compile(trusted);
  let isTold = false;
  return (req) => {
    const direct = req.socket.remoteAddress ?? 'unknown';
    if (!isTold && req.headers['x-forwarded-for'] !== undefined && isIP(direct)) {
      isTold = OWN_NETWORKS.has(ipaddr.process(direct).range()) && !isTrusted(direct, 0);
      if (isTold) onUnnamedProxy(plain(direct));
    }
    const claimed = isIP(direct) ? proxyAddr(req, isTrusted) : direct;
    return isIP(claimed) ? plain(claimed) : plain(direct);
  };
}

/** What limits count by: an IPv4 address, or the /64 network that an IPv6 address is of. */
export function addressGroup(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv6.parse(address).parts;
  return `${[a, b, c, d].map((part) => part.toString(16)).join(':')}::/64`;
}

function compile(trusted: readonly string[]) {
  try {
    return proxyAddr.compile([...trusted]);
  } catch {
    throw new ConfigError('STRATOS_TRUSTED_PROXIES names what is no address or network');
  }
}

/** An IPv4 address that was written as IPv6 is itself. */
function plain(address: string): string {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
}
