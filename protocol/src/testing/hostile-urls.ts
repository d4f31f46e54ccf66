/** Addresses at which nothing of the public internet is. */
export const HOSTILE_ADDRESSES: readonly string[] = [
  // this network, loopback, private, link-local, shared, benchmarks, documentation, multicast, reserved
  ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '127.1.2.3', '127.255.255.255'],
  ...['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.1'],
  ...['169.254.169.254', '169.254.0.1', '169.254.170.2', '100.64.0.1', '100.127.255.255'],
  ...['198.18.0.1', '198.19.255.255', '192.0.0.1', '192.0.0.170', '192.0.2.1', '198.51.100.1'],
  ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['192.88.99.1', '100.100.100.200'],
  // the same in IPv6: unspecified, loopback, unique local, link-local, site-local, multicast, discard
  ...['::', '::1', 'fc00::1', 'fd00::1', 'fd00:ec2::254', 'fe80::1', 'febf::1', 'fec0::1'],
  ...['ff00::1', 'ff02::1', 'ff05::1:3', '100::1', '2001:db8::1', '3fff::1', '5f00::1'],
  // IPv4 within IPv6: mapped, compatible, NAT64, its local prefix, 6to4, Teredo, ISATAP
  ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:169.254.169.254', '::ffff:7f00:1'],
  ...['::127.0.0.1', '::7f00:1', '::10.0.0.1', '::ffff:0:127.0.0.1', '::ffff:0:10.0.0.1'],
  ...['64:ff9b::127.0.0.1', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::10.0.0.1'],
  ...['2002:7f00:1::', '2002:a00:1::1', '2002:a9fe:a9fe::1', '2002:c0a8:1::1'],
  ...['2001:0:7f00:1::', '2001::1', '2001:0:53aa:64c:0:0:80ff:fffe', '2001:10::1', '2001:20::1'],
];

/** Ways to name an address in a URL. */
export function urlsOf(address: string): string[] {
  const host = address.includes(':') ? `[${address}]` : address;
  return [`https://${host}/`, `https://${host}/.well-known/did.json`, `http://${host}/`];
}

/** Other URLs that must lead nowhere, in production, where every name resolves to 127.0.0.1. */
export const HOSTILE_URLS: readonly string[] = [
  // other ways to write 127.0.0.1 and 169.254.169.254
  ...['2130706433', '0x7f000001', '0x7f.0.0.1', '0x7F.0x0.0x0.0x1', '0177.0.0.1', '0177.0.0.01'],
  ...['017700000001', '127.1', '127.0.1', '0x7f.1', '0', '0x0', '00.0.0.0', '127.0.0.1.'],
  ...['2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '0xa9.0xfe.0xa9.0xfe', '169.254.43518'],
  ...[
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '127．0．0．1',
    '%31%32%37.0.0.1',
    '127.0.0.1%00',
    '１２７.0.0.1',
  ],
  ...['[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '[::FFFF:7F00:0001]', '[0000::1]'],
  ...['[fe80::1%25eth0]', '[fe80::1%eth0]', '[fe80::1%251]', '[::1%25lo]', '[v1.a]', '[::1'],
  // names of the local network
  ...[
    'localhost',
    'localhost.',
    'LocalHost',
    'sub.localhost',
    'sub.localhost.',
    'localhost.localdomain',
  ],
  ...['printer.local', 'printer.local.', 'metadata.internal', 'metadata.google.internal.'],
  ...[
    'instance-data',
    'kubernetes.default.svc',
    'host.docker.internal',
    'router.lan',
    'nas.home.arpa',
  ],
  ...['ip6-localhost', 'broadcasthost', 'intranet', 'x.test', 'x.invalid', 'x.example'],
  // names that resolve to what their owner likes
  ...['127.0.0.1.nip.io', '10.0.0.1.sslip.io', 'localtest.me', 'rebind.example.com'],
  ...['1ocalhost.example.com', 'xn--fiqs8s.example.com', 'ｅｘａｍｐｌｅ.com', 'a'.repeat(64)],
]
  .map((host) => `https://${host}/`)
  .concat(
    [
      // who is meant is not whom one reads
      ...['user@127.0.0.1', 'user:password@127.0.0.1', 'node.example.com@127.0.0.1', '@127.0.0.1'],
      ...[
        'node.example.com:443@127.0.0.1:443',
        '127.0.0.1\\@node.example.com',
        'node.example.com%40x',
      ],
      ...['user:password@node.example.com', 'token@node.example.com', ':@127.0.0.1'],
      // ports of other services
      ...[22, 25, 80, 2375, 3000, 3306, 5432, 6379, 8080, 8443, 9200, 11_211, 27_017, 65_535].map(
        (port) => `node.example.com:${port}`,
      ),
      ...['127.0.0.1:0', '127.0.0.1:99999', 'node.example.com:-1', 'node.example.com:443x'],
    ].map((authority) => `https://${authority.replace(/^https:\/\//, '')}/`),
  )
  .concat([
    // other schemes, or none
    ...['http://node.example.com/', 'HTTP://node.example.com/', 'http://127.0.0.1/'],
    ...['ftp://node.example.com/', 'gopher://127.0.0.1:6379/_INFO', 'dict://127.0.0.1:11211/stat'],
    ...['file:///etc/passwd', 'file://127.0.0.1/etc/passwd', 'data:text/plain,hello'],
    ...['blob:https://node.example.com/x', 'javascript:alert(1)', 'about:blank', 'ws://127.0.0.1/'],
    ...['wss://127.0.0.1/', 'ldap://127.0.0.1/', 'jar:https://127.0.0.1!/', 'mailto:a@b.example'],
    ...[
      'unix:///var/run/docker.sock',
      '//127.0.0.1/',
      '/etc/passwd',
      '',
      ' ',
      'https://',
      'https:///',
    ],
    ...['https:127.0.0.1', 'https:/127.0.0.1/', 'https:\\\\127.0.0.1\\', 'https://127.0.0.1\t/'],
    ...['\u0000https://127.0.0.1/', 'https://127.0.0.1#@node.example.com/', 'https://127.0.0.1?x'],
  ]);
