import type { Did } from '@stratos/protocol';
import type { Ports } from './ports.ts';

/** The nodes of the local network and the boundaries that each of them has. */
export const NODES = {
  swordsmith: { port: 'nodeA', boundaries: ['swordsmith', 'aekea'] },
  sailors: { port: 'nodeB', boundaries: ['sailors'] },
} as const;

export type NodeName = keyof typeof NODES;
export type BoundaryName = (typeof NODES)[NodeName]['boundaries'][number];

export const NODE_NAMES = Object.keys(NODES) as NodeName[];

/** Who and where the parts of a network are. */
export interface Topology {
  readonly plcUrl: string;
  readonly pdsUrl: string;
  readonly gateway: Party;
  readonly indexerUrl: string;
  readonly nodes: Readonly<Record<NodeName, Party>>;
}

/** A service that others know by its DID. */
export interface Party {
  readonly did: Did;
  readonly url: string;
}

export function topologyOf(ports: Ports): Topology {
  return {
    plcUrl: urlOf(ports.plc),
    pdsUrl: urlOf(ports.pds),
    gateway: partyAt(ports.gateway),
    indexerUrl: urlOf(ports.indexer),
    nodes: {
      swordsmith: partyAt(ports[NODES.swordsmith.port]),
      sailors: partyAt(ports[NODES.sailors.port]),
    },
  };
}

/** The node that has a boundary. */
export function nodeOf(boundary: BoundaryName): NodeName {
  const name = NODE_NAMES.find((node) => NODES[node].boundaries.some((each) => each === boundary));
  if (!name) throw new Error(`No node has the boundary ${boundary}`);
  return name;
}

function urlOf(port: number): string {
  return `http://localhost:${port}`;
}

function partyAt(port: number): Party {
  return { did: `did:web:localhost%3A${port}` as Did, url: urlOf(port) };
}
