import { setTimeout as sleep } from 'node:timers/promises';
import { zone } from '@stratos/protocol/lexicons';
import type { Person } from '../bench/people.ts';
import type { Random } from '../random.ts';
import { type DoomedNode, NODE_DID, UnansweredError } from './doomed-node.ts';
import { MembershipLedger } from './ledger.ts';

const { admin } = zone.stratos;
const BOTH = ['forge', 'harbour'];

/** Whoever runs the node: gives and takes boundaries, and sees people come and go. */
export class Community {
  readonly ledger = new MembershipLedger();
  /** Answers that no node may give. */
  readonly complaints: string[] = [];
  readonly #people: readonly Person[];
  readonly #random: Random;

  constructor(people: readonly Person[], random: Random) {
    this.#people = people;
    this.#random = random;
  }

  /** Enrolls everybody, before anything goes wrong. */
  async begin(node: DoomedNode): Promise<void> {
    for (const person of this.#people) await this.#enroll(node, person);
  }

  /** Changes memberships until the node dies, or `signal` says so. */
  async change(node: DoomedNode, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.#changeOne(node);
        await sleep(this.#random.between(5, 60));
      }
    } catch (error) {
      if (!(error instanceof UnansweredError)) throw error;
    }
  }

  async #changeOne(node: DoomedNode): Promise<void> {
    const person = this.#random.oneOf(this.#people);
    const { did } = person;
    if (this.ledger.standings.get(did) === undefined) return this.#enroll(node, person);
    if (this.#random.chance(0.1)) {
      this.ledger.begin(did, undefined);
      return this.#judge(await node.call('operator', admin.unenroll.$nsid, { body: { did } }));
    }
    const names = this.#random.chance(0.5) ? BOTH : ['forge'];
    const boundaries = names.map((name) => `${NODE_DID}/${name}`);
    this.ledger.begin(did, boundaries.join());
    const body = { did, boundaries };
    this.#judge(await node.call('operator', admin.setBoundaries.$nsid, { body }));
  }

  async #enroll(node: DoomedNode, { did }: Person): Promise<void> {
    this.ledger.begin(did, BOTH.map((name) => `${NODE_DID}/${name}`).join());
    await node.enroll(did);
    this.ledger.acknowledged();
  }

  #judge({ status, body }: { status: number; body: unknown }): void {
    if (status === 200) this.ledger.acknowledged();
    else this.complaints.push(`the operator was answered ${status} ${JSON.stringify(body)}`);
  }
}
