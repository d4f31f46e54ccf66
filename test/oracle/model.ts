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
  /** Signing keys, by person and node. */
  readonly #enrollments = new Map<string, string>();
  readonly #memberships = new Map<string, Membership>();
  readonly #repos = new Map<string, Map<string, Written>>();
  readonly #stubs = new Map<string, string>();
  setAccount(did: string, active: boolean): void {
    this.#accounts.set(did, active);
  }

  setEnrollment(did: string, node: string, signingKey: string | undefined): void {
    if (signingKey) this.#enrollments.set(`${did} ${node}`, signingKey);
    else this.#enrollments.delete(`${did} ${node}`);
  }

  setMembership(did: string, node: string, membership: Membership): void {
    this.#memberships.set(`${did} ${node}`, membership);
  }

  setStub(uri: string, cid: string | undefined): void {
    if (cid) this.#stubs.set(uri, cid);
    else this.#stubs.delete(uri);
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
    const must = new Set<string>();
    const may = new Set<string>();
    for (const [did, active] of this.#accounts) {
      // Whose enrollment came and went unseen need not be known.
      const isEnrolled = [...this.#enrollments.keys()].some((pair) => pair.startsWith(`${did} `));
      (isEnrolled ? must : may).add(`account ${did} ${active}`);
    }
    for (const [pair, key] of this.#enrollments) must.add(`enrollment ${pair} ${key}`);
    for (const [uri, cid] of this.#stubs) must.add(`stub ${uri} ${cid}`);
    for (const [pair, { active, boundaries }] of this.#memberships) {
      const held = active ? [...boundaries].sort().join(' ') : '';
      must.add(`membership ${pair} ${active} ${held}`);
    }
    for (const [pair, repo] of this.#repos) this.#addPosts(pair, repo, { must, may });
    return { must, may };
  }

  #addPosts(pair: string, repo: Map<string, Written>, { must, may }: Expected): void {
    const [did = '', node = ''] = pair.split(' ');
    const membership = this.#memberships.get(pair);
    const isReadable =
      membership?.active === true &&
      this.#accounts.get(did) === true &&
      this.#enrollments.get(pair) === membership.signingKey;
    for (const [uri, { cid, boundaries, isGood }] of repo) {
      if (!isGood) continue;
      // What was on its way when a repo had to be fetched is judged by what its author holds by then.
      const isHeldNow = boundaries.every((each) => membership?.boundaries.includes(each));
      const lines = membership?.active === true && isHeldNow ? must : may;
      lines.add(`post ${uri} ${node} ${cid}`);
      for (const each of isReadable ? boundaries : []) lines.add(`readable ${uri} ${each}`);
    }
  }
}
