import type { LexMap } from '@atproto/lex-data';
import {
  type Boundary,
  buildEnrollmentRecord,
  buildStub,
  type Did,
  type DidKey,
  enrollmentRkey,
  type SigningKey,
  signAttestation,
  toAtUri,
  toCid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { Account } from '../network/src/index.ts';

const ENROLLMENT = zone.stratos.actor.enrollment.$nsid;
const POST = zone.stratos.feed.post.$nsid;

export interface EnrolledAt {
  did: Did;
  url: string;
  key: SigningKey;
}

/** Somebody with an account on a real PDS, as far as Stratos sees it. */
export class PublicPerson {
  readonly did: Did;
  readonly #account: Account;
  /** Paths of what is on the PDS. */
  readonly #records = new Set<string>();
  #isActive = true;

  constructor(account: Account) {
    this.#account = account;
    this.did = account.did;
  }

  async enroll(node: EnrolledAt, boundaries: Boundary[], signingKey: DidKey): Promise<void> {
    const claims = { did: this.did, boundaries, signingKey };
    const attestation = await signAttestation(claims, node.key);
    const record = buildEnrollmentRecord({
      ...claims,
      service: node.url,
      attestation,
      createdAt: new Date(),
    });
    await this.#put(ENROLLMENT, enrollmentRkey(node.did), record);
  }

  async unenroll(node: EnrolledAt): Promise<void> {
    await this.#delete(ENROLLMENT, enrollmentRkey(node.did));
  }

  async putStub(node: EnrolledAt, rkey: string, cid: string): Promise<void> {
    const uri = toAtUri(`at://${this.did}/${POST}/${rkey}`);
    const record: LexMap = { $type: POST };
    const stub = buildStub({ uri, cid: toCid(cid), nodeDid: node.did, record });
    await this.#put(POST, rkey, stub);
  }

  async deleteStub(rkey: string): Promise<void> {
    await this.#delete(POST, rkey);
  }

  /** Whether the account is in use. */
  get isActive(): boolean {
    return this.#isActive;
  }

  async setActive(active: boolean): Promise<void> {
    const { server } = this.#account.pds.com.atproto;
    if (active) await server.activateAccount();
    else await server.deactivateAccount({});
    this.#isActive = active;
  }

  /** Leaves nothing of Stratos on the PDS, for whoever has the account next. */
  async forget(): Promise<void> {
    if (!this.#isActive) await this.setActive(true);
    if (this.#records.size === 0) return;
    const writes = Array.from(this.#records, (path) => {
      const [collection = '', rkey = ''] = path.split('/');
      return { $type: 'com.atproto.repo.applyWrites#delete' as const, collection, rkey };
    });
    await this.#account.pds.com.atproto.repo.applyWrites({ repo: this.did, writes });
    this.#records.clear();
  }

  async #put(collection: string, rkey: string, record: object): Promise<void> {
    await this.#account.pds.com.atproto.repo.putRecord({
      repo: this.did,
      collection,
      rkey,
      record: { ...record },
      validate: false,
    });
    this.#records.add(`${collection}/${rkey}`);
  }

  async #delete(collection: string, rkey: string): Promise<void> {
    await this.#account.pds.com.atproto.repo.deleteRecord({ repo: this.did, collection, rkey });
    this.#records.delete(`${collection}/${rkey}`);
  }
}
