import { type DidDocument, didDocumentKeys } from '../identity/did-document.ts';
import { type Bytes, fromBase64 } from './bytes.ts';
import { type Block, readCar } from './car.ts';
import { cidOf } from './cid.ts';
import { decodeMap, decodeSigned, Link, toJson } from './dag-cbor.ts';
import { FlawError, must } from './flaw.ts';
import { checkMembership } from './membership.ts';
import type { BytesJson, PostProof } from './post-proof.ts';
import { isSignedBy } from './signature.ts';
import { followTree } from './tree.ts';

export type Step = 'proven' | 'failed' | 'not-given';

export interface VerifyPostProofOptions {
  /** What is to be proven: the CID best comes from the stub on the author's PDS. */
  expect: {
    uri: string;
    cid: string;
    /** The author's key at the node, if known from their enrollment record, `did:key:…`. */
    signingKey?: string | undefined;
  };
  /** The DID document of the node, from where its DID says that it is. */
  node: DidDocument;
  /** Keys that the node had before, `did:key:…`, from its published history. */
  formerNodeKeys?: readonly string[] | undefined;
}

export interface PostProofVerdict {
  /**
   * Whether the record is what the author signed: nothing failed, and the node states that the key is the
   * author's, or it is the one that was expected.
   */
  isProven: boolean;
  /** The bytes are those of the CID, and both are what was expected. */
  record: Step;
  /** The tree of the commit has that CID under the address. */
  inclusion: Step;
  /** The key signed the commit, which is of the author's repo. */
  commit: Step;
  /** The node states, signed by its own key, that the author is a member and has that key. */
  membership: Step;
  /** The stub, as the gateway saw it, names that CID. */
  stub: Step;
  /** What the record says, in the JSON of AT Protocol; undefined unless all of it is proven. */
  value: unknown;
}

/**
 * Checks a proof of a post, trusting nobody but the node's DID document. A proof with any byte changed does
 * not hold. Never throws on account of what is in a proof.
 *
 * @example
 * const address = `/xrpc/zone.stratos.feed.getPostProof?${new URLSearchParams({ uri })}`;
 * const { proof } = await (await gatewaySession.fetch(address)).json();
 * const stub = await findStub(uri, { dids });
 * const document = stub && (await dids.resolve(stub.node));
 * if (proof && document) console.log(await verifyPostProof(proof, { expect: stub, node: document }));
 */
export async function verifyPostProof(
  proof: PostProof,
  { expect, node, formerNodeKeys = [] }: VerifyPostProofOptions,
): Promise<PostProofVerdict> {
  const [did = '', ...path] = expect.uri.replace('at://', '').split('/');
  const { signingKey, stubCid } = proof;
  const nodeKeys = [...didDocumentKeys(node), ...formerNodeKeys];
  const isOfNode = proof.node === node.id;
  const record = bytesIn(proof.record);
  const entry = bytesIn(proof.membership);
  const blocks = await attempt(async () => readCar(given(bytesIn(proof.commit))));

  const steps = {
    record: await stepOf(async () => {
      must(proof.uri === expect.uri && proof.cid === expect.cid, 'not what is to be proven');
      must((await cidOf(given(record))) === expect.cid, 'the record is not of its CID');
    }),
    inclusion: await stepOf(async () => {
      const [commit, ...nodes] = given(blocks);
      const { data } = readCommit(given(commit));
      must(followTree(data, path.join('/'), nodes) === expect.cid, 'another record is there');
    }),
    commit: await stepOf(async () => {
      const { fields, signed, sig } = readCommit(given(blocks?.[0]));
      must(fields.get('did') === did, 'the commit is of another repo');
      must((expect.signingKey ?? signingKey) === signingKey, 'not the key that is expected');
      must(await isSignedBy(signingKey, signed, sig), 'the commit is not signed by the key');
    }),
    membership: await stepOf(async () => {
      must(isOfNode, 'another node');
      await checkMembership(given(entry), { node: node.id, nodeKeys, did, signingKey });
    }, isOfNode && isNothing(proof.membership)),
    stub: await stepOf(async () => {
      must(stubCid === expect.cid, 'the stub names another record');
    }, isNothing(stubCid)),
  };
  const hasFailed = Object.values(steps).includes('failed');
  const isKeyKnown = steps.membership === 'proven' || expect.signingKey !== undefined;
  const value = hasFailed ? undefined : await attempt(async () => toJson(decodeMap(given(record))));
  const isProven = value !== undefined && isKeyKnown;
  return { isProven, ...steps, value: isProven ? value : undefined };
}

/** A commit of version 3, see https://atproto.com/specs/repository#commit-objects. */
function readCommit({ bytes }: Block) {
  const commit = decodeSigned(bytes);
  const { fields } = commit;
  const data = fields.get('data');
  must(fields.get('version') === 3 && data instanceof Link, 'not a commit of version 3');
  return { ...commit, data: data.cid };
}

async function stepOf(check: () => Promise<void>, isNotGiven = false): Promise<Step> {
  if (isNotGiven) return 'not-given';
  const holds = await attempt(async () => {
    await check();
    return true;
  });
  return holds ? 'proven' : 'failed';
}

/** What comes of it, or undefined where a flaw is found. */
async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof FlawError) return undefined;
    throw error;
  }
}

function given<T>(value: T | undefined): T {
  must(value !== undefined, 'it is not there');
  return value;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function bytesIn(value: string | BytesJson | null | undefined): Bytes | undefined {
  const text = typeof value === 'string' ? value : value?.$bytes;
  return typeof text === 'string' ? fromBase64(text) : undefined;
}
