import type { Style } from './console-style.ts';
import { DEMO_ACCOUNTS, DEMO_PASSWORD } from './demo/accounts.ts';
import { PORTS, type PortName, type Ports } from './ports.ts';
import { NODES, type Topology } from './topology.ts';

export interface EndScreenInput {
  readonly ports: Ports;
  readonly topology: Topology;
  readonly dataDir: string;
  readonly ephemeral: boolean;
}

const QUERY = '{ timeline(first: 5) { edges { node { text author { handle } } } } }';

/** What a person needs to know once everything runs. */
export function endScreen(input: EndScreenInput, style: Style): string {
  const { topology, ports } = input;
  const { bold, cyan, dim } = style;
  const token = `${portPrefix(ports)}npm run --silent token -- rei.test`;
  const rows = [
    ['Gateway', topology.gateway.url, 'GraphQL, tRPC and XRPC'],
    ['Node', topology.nodes.swordsmith.url, NODES.swordsmith.boundaries.join(', ')],
    ['Node', topology.nodes.sailors.url, NODES.sailors.boundaries.join(', ')],
    ['PDS', topology.pdsUrl, 'accounts and their public side'],
    ['PLC', topology.plcUrl, 'their identities'],
    ['Postgres', `localhost:${ports.postgres}`, 'what the indexer has found'],
  ] as const;
  return [
    '',
    bold('The local network runs.'),
    '',
    ...rows.map(
      ([what, where, why]) => `  ${what.padEnd(9)} ${cyan(where.padEnd(23))} ${dim(why)}`,
    ),
    '',
    `  ${bold('Open')}      ${cyan(`${topology.gateway.url}/app/`)} ${dim('the web app')}`,
    `            ${cyan(`${topology.gateway.url}/`)} ${dim('the APIs')}`,
    `  ${bold('Accounts')}  password '${DEMO_PASSWORD}'`,
    ...DEMO_ACCOUNTS.map(({ handle, boundaries }) => {
      return `            ${handle.padEnd(15)} ${dim(boundaries.join(' and ') || 'in no community')}`;
    }),
    '',
    bold('  Ask as rei.test'),
    '',
    `    curl -s ${topology.gateway.url}/graphql \\`,
    `      -H "authorization: Bearer $(${token})" \\`,
    `      -H 'content-type: application/json' \\`,
    `      -d '${JSON.stringify({ query: QUERY })}'`,
    '',
    `  ${bold('A token alone')}   ${token}`,
    `  ${bold('Data and logs')}   ${input.dataDir}${input.ephemeral ? dim(' (removed at the end)') : ''}`,
    `  ${bold('Stop')}            Ctrl-C`,
    '',
  ].join('\n');
}

/** The variables that another command needs to find a network on unusual ports. */
function portPrefix(ports: Ports): string {
  const names: PortName[] = ['pds', 'gateway'];
  return names
    .filter((name) => ports[name] !== PORTS[name].default)
    .map((name) => `${PORTS[name].variable}=${ports[name]} `)
    .join('');
}
