import { cidOf, type Did } from '@stratos/protocol';
import type { Database } from '../database.ts';
import type { Flaw } from './flaw.ts';
import type { NodeKeys } from './node-keys.ts';
import { countPeople, peopleOf, type Selection, samplePeople } from './people.ts';
import { verifyPerson } from './verify-person.ts';

/** Flaws that are listed; all are counted. */
const MOST_LISTED = 10_000;

export interface VerifyOptions extends Selection {
  /** How many people, by chance; everybody if undefined. */
  sample?: number | undefined;
  /** Undefined where signatures of nodes are not to be looked at. */
  keys: NodeKeys | undefined;
  onStart?: (people: number) => void;
  onPerson?: () => void;
}

export interface VerifyReport {
  people: number;
  posts: number;
  /** How many flaws there are. */
  found: number;
  flaws: Flaw[];
}

/**
 * Recomputes what is stored from its proofs, person by person. What it cannot know is whether authors
 * held the boundaries when they wrote, and whether there is more than what is stored.
 */
export async function verifyStored(db: Database, options: VerifyOptions): Promise<VerifyReport> {
  const { sample, keys, onStart, onPerson, ...selection } = options;
  const report: VerifyReport = { people: 0, posts: 0, found: 0, flaws: [] };
  const note = (...flaws: Flaw[]) => {
    report.found += flaws.length;
    report.flaws.push(...flaws.slice(0, MOST_LISTED - report.flaws.length));
  };
  note(...(await verifyNodes(db, options)));
  const everybody = await countPeople(db, selection);
  onStart?.(Math.min(everybody, sample ?? everybody));
  const people =
    sample === undefined ? peopleOf(db, selection) : await samplePeople(db, selection, sample);
  for await (const person of people) {
    const { posts, flaws } = await verifyPerson(db, person, await keys?.of(person.nodeDid));
    note(...flaws);
    report.people++;
    report.posts += posts;
    onPerson?.();
  }
  return report;
}

/** Whether nodes can be asked for their keys, and where their logs are. */
async function verifyNodes(db: Database, { nodeDid, did, keys }: VerifyOptions): Promise<Flaw[]> {
  const flaws: Flaw[] = [];
  const rows = await db.$queryRaw<NodeRow[]>`
    select n.did, n.membership_head, m.entry, n.membership_seq > 0 as has_log
    from stratos_node n
    left join stratos_membership m on m.node_did = n.did and m.seq = n.membership_seq
    where (${nodeDid ?? null}::text is null or n.did = ${nodeDid ?? null})
      and (${did ?? null}::text is null or exists (
        select from stratos_membership k where k.node_did = n.did and k.did = ${did ?? null}
      ))`;
  for (const { did: node, membership_head: head, entry, has_log: hasLog } of rows) {
    if (keys && hasLog && !(await keys.of(node))) flaws.push({ kind: 'no-keys', nodeDid: node });
    const stored = entry && (await cidOf(entry));
    if (hasLog && stored !== head) flaws.push({ kind: 'log-head', nodeDid: node });
  }
  return flaws;
}

interface NodeRow {
  did: Did;
  membership_head: string | null;
  /** The entry that stands at the end of the log. */
  entry: Uint8Array | null;
  has_log: boolean;
}
