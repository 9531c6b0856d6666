import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Addresses that no source may lead to, whatever the settings: link-local ones, behind which clouds keep their metadata
 * services with the credentials of this machine, and the metadata addresses that lie elsewhere. Sources: RFC 3927 and 4291
 * (link-local); the instance metadata documentation of AWS (fd00:ec2::254, fd00:ec2::23), Google (fd20:ce::254), Alibaba
 * (100.100.100.200), Azure (168.63.129.16) and Oracle (192.0.0.192).
 */
const forbidden = new BlockList();
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addSubnet('fe80::', 10, 'ipv6');
for (const address of ['100.100.100.200', '168.63.129.16', '192.0.0.192']) forbidden.addAddress(address, 'ipv4');
for (const address of ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254']) forbidden.addAddress(address, 'ipv6');

const forbiddenNames: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** Where an IPv6 address carries an IPv4 address: the groups before it, and the index of the two groups that it stands in. */
const embeddings: readonly { readonly prefix: readonly number[]; readonly at: readonly [number, number] }[] = [
  // IPv4-mapped and IPv4-compatible (RFC 4291), IPv4-translated (RFC 7915).
  { prefix: [0, 0, 0, 0, 0, 0xffff], at: [6, 7] },
  { prefix: [0, 0, 0, 0, 0, 0], at: [6, 7] },
  { prefix: [0, 0, 0, 0, 0xffff, 0], at: [6, 7] },
  // NAT64, the well-known prefix (RFC 6052) and the local-use one (RFC 8215), the latter cut at /96.
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: [6, 7] },
  { prefix: [0x64, 0xff9b, 1], at: [6, 7] },
  // 6to4 (RFC 3056).
  { prefix: [0x2002], at: [1, 2] },
];

/**
 * Whether a host is one that no source may lead to. `host` is an IPv4 or IPv6 address, without brackets, or a name; a name
 * that merely resolves to such an address is not seen here.
 */
export function isForbiddenHost(host: string): boolean {
  const bare = host.replace(/\.$/, '').toLowerCase();
  if (isIP(bare) === 0) return forbiddenNames.has(bare);
  if (isIPv4(bare)) return forbidden.check(bare, 'ipv4');
  if (forbidden.check(bare, 'ipv6')) return true;
  const groups = ipv6Groups(bare);
  return embeddings.some(({ prefix, at }) => prefix.every((group, index) => groups[index] === group) && forbidden.check(ipv4At(groups, at), 'ipv4'));
}

function ipv4At(groups: readonly number[], [high, low]: readonly [number, number]): string {
  const bits = [groups[high] ?? 0, groups[low] ?? 0];
  return bits.map((group) => `${group >> 8}.${group & 0xff}`).join('.');
}

/** The eight groups of a valid IPv6 address, whose last two may be written as IPv4 and which may carry a zone. */
function ipv6Groups(address: string): number[] {
  const plain = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [left = '', right] = plain.split('::');
  const head = groupsOf(left);
  if (right === undefined) return head;
  const tail = groupsOf(right);
  return [...head, ...new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0), ...tail];
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
