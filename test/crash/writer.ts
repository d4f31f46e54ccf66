import { encodeRecord } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import type { Person } from '../bench/people.ts';
import type { Random } from '../random.ts';
import { type DoomedNode, NODE_DID, type Outcome, UnansweredError } from './doomed-node.ts';
import { COLLECTION, WriterLedger } from './ledger.ts';

const { createRecord, putRecord, deleteRecord, applyWrites } = com.atproto.repo;
const KEYS = 12;
const LARGEST_BATCH = 6;
/** What a node may say to somebody whose membership has just changed. */
const REFUSALS = ['NotEnrolled', 'ForbiddenBoundary'];

type Answer = { commit?: { rev: string }; error?: string };

/** Somebody's app: writes, replaces and deletes records, one request after the other. */
export class Writer {
  readonly person: Person;
  readonly ledger = new WriterLedger(KEYS);
  /** Answers that no node may give. */
  readonly complaints: string[] = [];
  acknowledged = 0;
  readonly #random: Random;
  #count = 0;

  constructor(person: Person, random: Random) {
    this.person = person;
    this.#random = random;
  }

  /** Writes until the node dies, or `signal` says so. */
  async write(node: DoomedNode, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#request(node);
    } catch (error) {
      if (!(error instanceof UnansweredError)) throw error;
    }
  }

  async #request(node: DoomedNode): Promise<void> {
    const isBatch = this.#random.chance(0.25);
    const count = isBatch ? this.#random.between(2, LARGEST_BATCH) : 1;
    const changes = await Promise.all(
      this.#random.someOf(this.ledger.rkeys, count).map((rkey) => this.#change(rkey)),
    );
    this.ledger.begin(new Map(changes.map(({ rkey, cid }) => [rkey, cid])));
    this.#judge(await this.#send(node, changes, isBatch));
  }

  #judge({ status, body }: Outcome<Answer>): void {
    if (status === 200) {
      this.ledger.acknowledged(body.commit?.rev);
      this.acknowledged++;
      return;
    }
    this.ledger.refused();
    if (REFUSALS.includes(body.error ?? '')) return;
    this.complaints.push(`a write was answered ${status} ${JSON.stringify(body)}`);
  }

  async #send(node: DoomedNode, changes: Change[], isBatch: boolean): Promise<Outcome<Answer>> {
    const { did: repo } = this.person;
    if (isBatch) {
      const body = { repo, writes: changes.map(asWrite) };
      return node.call(this.person, applyWrites.$nsid, { body });
    }
    const [{ rkey, record, cid, existed } = unchanged()] = changes;
    const target = { repo, collection: COLLECTION, rkey };
    if (cid === undefined) return node.call(this.person, deleteRecord.$nsid, { body: target });
    const { $nsid } = existed || this.#random.chance(0.5) ? putRecord : createRecord;
    return node.call(this.person, $nsid, { body: { ...target, record } });
  }

  async #change(rkey: string): Promise<Change> {
    const existed = this.ledger.records.has(rkey);
    if (existed && this.#random.chance(0.4)) return { rkey, existed };
    const name = this.#random.chance(0.8) ? 'forge' : 'harbour';
    const record = {
      $type: COLLECTION,
      text: `${this.person.did} ${rkey} ${++this.#count}`,
      boundary: {
        $type: zone.stratos.boundary.defs.Domains.$type,
        values: [{ value: `${NODE_DID}/${name}` }],
      },
      createdAt: new Date().toISOString(),
    };
    return { rkey, existed, record, cid: (await encodeRecord(record)).cid };
  }
}

interface Change {
  rkey: string;
  existed: boolean;
  record?: Record<string, unknown>;
  /** Undefined for a deletion. */
  cid?: string;
}

function asWrite({ rkey, record, existed }: Change) {
  const target = { collection: COLLECTION, rkey };
  if (!record) return { $type: applyWrites.delete.$type, ...target };
  const { $type } = existed ? applyWrites.update : applyWrites.create;
  return { $type, ...target, value: record };
}

function unchanged(): never {
  throw new Error('a request without a change');
}
