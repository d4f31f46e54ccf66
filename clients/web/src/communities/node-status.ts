import {
  type Did,
  type Enrollment,
  findNode,
  isDid,
  listEnrollments,
  type Service,
} from '@stratos/client';
import type { SignedIn } from '../account/signed-in.svelte.ts';
import { type Enrolled, enrollmentWarnings, type Warning } from './enrollment-warnings.ts';

/** A node, and how the person stands with it. */
export interface NodeStatus {
  did: Did;
  service: Service | undefined;
  /** All communities that it has, as it tells everybody. */
  offered: string[];
  /** What it says of the person; undefined where it says that they are not enrolled. */
  enrolled: Enrolled | undefined;
  warnings: Warning[];
  /** Whether it could be asked. */
  isHeard: boolean;
}

/** The nodes that the person is enrolled with as their PDS says, those that this page offers, and some more. */
export async function nodeStatuses(person: SignedIn, more: readonly Did[]): Promise<NodeStatus[]> {
  const { did, dids, config, live } = person;
  const records = isDid(did) ? await listEnrollments(did, { dids }) : [];
  const read = live.boundaries.map((boundary) => boundary.split('/')[0]).filter(isDid);
  const nodes = new Set([
    ...records.map(({ nodeDid }) => nodeDid),
    ...read,
    ...config.nodes,
    ...more,
  ]);
  return Promise.all(
    [...nodes].sort().map((node) =>
      nodeStatus(
        person,
        node,
        records.find(({ nodeDid }) => nodeDid === node),
      ),
    ),
  );
}

async function nodeStatus(
  person: SignedIn,
  did: Did,
  record: Enrollment | undefined,
): Promise<NodeStatus> {
  const service = await findNode(did, { dids: person.dids }).catch(() => undefined);
  const silent = { did, service, offered: [], enrolled: undefined, warnings: [], isHeard: false };
  if (!service) return silent;
  try {
    const [offered, enrolled] = await Promise.all([
      askOffered(service),
      askEnrolled(person, service),
    ]);
    const warnings = enrollmentWarnings(record, enrolled);
    return { did, service, offered, enrolled, warnings, isHeard: true };
  } catch {
    return silent;
  }
}

async function askOffered({ url }: Service): Promise<string[]> {
  const response = await fetch(new URL('/xrpc/zone.stratos.server.listDomains', url));
  const { domains } = Object(await response.json());
  return Array.isArray(domains) ? domains.filter((each) => typeof each === 'string') : [];
}

/** As the person, whom a node tells more than others. */
async function askEnrolled(person: SignedIn, { did }: Service): Promise<Enrolled | undefined> {
  const session = await person.nodes.at(did);
  const query = new URLSearchParams({ did: person.did });
  const response = await session.fetch(`/xrpc/zone.stratos.enrollment.status?${query}`);
  if (!response.ok) throw new Error('the node does not say');
  const { enrolled, boundaries, signingKey } = Object(await response.json());
  if (enrolled !== true) return undefined;
  const values = Array.isArray(boundaries) ? boundaries.map((each) => Object(each).value) : [];
  return {
    boundaries: values.filter((each) => typeof each === 'string'),
    signingKey: String(signingKey),
  };
}

/** Where a person goes to enroll, and comes back from to where they are. */
export function enrollHref({ handle }: SignedIn, { url }: Service): string {
  const address = new URL('/oauth/authorize', url);
  address.searchParams.set('handle', handle);
  address.searchParams.set('redirect_uri', location.href.replace(/\?[^#]*/, ''));
  return address.href;
}

/** Throws where the node does not do it. */
export async function unenroll(person: SignedIn, did: Did): Promise<void> {
  const session = await person.nodes.at(did);
  const response = await session.fetch('/xrpc/zone.stratos.enrollment.unenroll', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  if (!response.ok) throw new Error(`The node answered ${response.status}`);
}

/** The DID of a node by what somebody types: a DID, a host or an address. */
export function nodeDid(typed: string): Did | undefined {
  const text = typed.trim();
  if (isDid(text)) return text;
  const address = text.includes('://') ? text : `https://${text}`;
  if (!URL.canParse(address)) return undefined;
  const did = `did:web:${encodeURIComponent(new URL(address).host)}`;
  return isDid(did) ? did : undefined;
}
