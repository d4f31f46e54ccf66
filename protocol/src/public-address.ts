import { BlockList, isIPv6 } from 'node:net';

/** What is in use on the public internet of IPv6; the rest is special or not given to anybody. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** What lies within, but leads to other addresses or nowhere (RFC 6890, RFC 9637). */
const special = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  special.addSubnet(network, prefix, 'ipv6');
}
// @NOTE relays to 6to4, which nobody runs for others any more (RFC 7526)
special.addSubnet('192.88.99.0', 24, 'ipv4');

/** True for an address that is not of the public internet, beyond what is private by its range. */
export function isSpecialAddress(address: string): boolean {
  if (!isIPv6(address)) return special.check(address, 'ipv4');
  return !globalUnicast.check(address, 'ipv6') || special.check(address, 'ipv6');
}
