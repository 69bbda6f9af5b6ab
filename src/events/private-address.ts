import { BlockList, isIP } from 'node:net';

/** IPv4 that is not on the public internet, or for one purpose alone (RFC 6890 and the registry of IANA after it). */
const PRIVATE_V4 = blockListOf('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** All that IANA has given to the public internet. Mapped addresses, NAT64, link-local, unique local and multicast lie outside. */
const PUBLIC_V6 = blockListOf('ipv6', [['2000::', 3]]);
/** Parts of it that are for one purpose alone, or carry an IPv4 address that nobody checks: Teredo, documentation, 6to4. */
const PRIVATE_V6 = blockListOf('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/**
 * Whether requests to this address would stay inside: of this machine, its network, or nowhere.
 * @param address as a resolver gives it; what is no address counts as private
 */
export function isPrivateAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return PRIVATE_V4.check(address, 'ipv4');
    case 6:
      // A zone (`fe80::1%eth0`) is of this machine.
      return address.includes('%') || !PUBLIC_V6.check(address, 'ipv6') || PRIVATE_V6.check(address, 'ipv6');
    default:
      return true;
  }
}

/**
 * The address that a URL names by itself; null: a name, which only a resolver can tell. Decimal, octal and hexadecimal ways of
 * writing IPv4 are one by now: `URL` has made them the usual one.
 */
export function addressIn({ hostname }: URL): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
}

/** A URL that is private as it is written: by its address, or by a name that is this machine's (RFC 6761). */
export function isPrivateUrl(url: URL): boolean {
  const address = addressIn(url);
  if (address !== null) return isPrivateAddress(address);
  return /(^|\.)localhost\.?$/.test(url.hostname);
}

function blockListOf(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, family);
  return list;
}
