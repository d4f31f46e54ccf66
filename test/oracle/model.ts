/** What a person's repo holds at a node, by record key. */
interface Written {
  cid: string;
  boundaries: readonly string[];
  /** Whether its author was a member, and held all of its boundaries, when it was written. */
  isGood: boolean;
}

interface Membership {
  active: boolean;
  boundaries: readonly string[];
  signingKey: string;
}

/** What the AppView has to know, as sets of lines. Of `may` it can know any part. */
export interface Expected {
  must: Set<string>;
  may: Set<string>;
}

/** What the indexer should come to, whatever happens on the way: the rules of Stratos without a network. */
export class Model {
  readonly #accounts = new Map<string, boolean>();
  /** What is on the PDS: keys of `enrollment {did} {node}`, and CIDs of `stub {uri}`. */
  readonly #records = new Map<string, { did: string; value: string | undefined }>();
  /** All that ever was there. */
  readonly #past: { did: string; line: string }[] = [];
  readonly #memberships = new Map<string, Membership>();
  readonly #repos = new Map<string, Map<string, Written>>();
  setAccount(did: string, active: boolean): void {
    this.#accounts.set(did, active);
  }

  setEnrollment(did: string, node: string, signingKey: string | undefined): void {
    this.#setRecord(did, `enrollment ${did} ${node}`, signingKey);
  }

  setStub(did: string, uri: string, cid: string | undefined): void {
    this.#setRecord(did, `stub ${uri}`, cid);
  }

  #setRecord(did: string, name: string, value: string | undefined): void {
    this.#records.set(name, { did, value });
    if (value) this.#past.push({ did, line: `${name} ${value}` });
  }

  setMembership(did: string, node: string, membership: Membership): void {
    this.#memberships.set(`${did} ${node}`, membership);
  }

  write(did: string, node: string, uri: string, written: Omit<Written, 'isGood'>) {
    const { active, boundaries } = this.#memberships.get(`${did} ${node}`) ?? {};
    const isHeld = written.boundaries.every((each) => boundaries?.includes(each));
    const isGood = active === true && written.boundaries.length > 0 && isHeld;
    const repo = this.#repos.get(`${did} ${node}`) ?? new Map<string, Written>();
    this.#repos.set(`${did} ${node}`, repo.set(uri, { ...written, isGood }));
  }

  delete(did: string, node: string, uri: string): void {
    this.#repos.get(`${did} ${node}`)?.delete(uri);
  }

  expected(): Expected {
    const [must, may] = [new Set<string>(), new Set<string>()];
    // Once an account is put aside, its PDS says nothing to whoever has missed something.
    const isAside = (did: string) => this.#accounts.get(did) === false;
    for (const { did, line } of this.#past) if (isAside(did)) may.add(line);
    const records = [...this.#records].filter(([, { did, value }]) => value && !isAside(did));
    for (const [name, { value }] of records) must.add(`${name} ${value}`);
    // Whose enrollments came and went unseen need not be known, be it a person or a node.
    const known = new Set(records.flatMap(([name]) => name.split(' ').slice(1)));
    for (const [did, active] of this.#accounts) {
      (known.has(did) ? must : may).add(`account ${did} ${active}`);
    }
    for (const [pair, { active, boundaries }] of this.#memberships) {
      const held = active ? [...boundaries].sort().join(' ') : '';
      const lines = known.has(pair.split(' ')[1] ?? '') ? must : may;
      lines.add(`membership ${pair} ${active} ${held}`);
      this.#addPosts(pair, { must: lines, may });
    }
    return { must, may };
  }

  #addPosts(pair: string, { must, may }: Expected): void {
    const [did = '', node = ''] = pair.split(' ');
    const membership = this.#memberships.get(pair);
    const isReadable =
      membership?.active === true &&
      this.#accounts.get(did) === true &&
      this.#records.get(`enrollment ${pair}`)?.value === membership.signingKey;
    for (const [uri, { cid, boundaries, isGood }] of this.#repos.get(pair) ?? []) {
      if (!isGood) continue;
      // What was on its way when a repo had to be fetched is judged by what its author holds by then.
      const isHeldNow = boundaries.every((each) => membership?.boundaries.includes(each));
      const lines = membership?.active === true && isHeldNow ? must : may;
      lines.add(`post ${uri} ${node} ${cid}`);
      for (const each of isReadable ? boundaries : []) lines.add(`readable ${uri} ${each}`);
    }
  }
}
