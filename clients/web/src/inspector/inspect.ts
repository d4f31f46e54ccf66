import {
  type Did,
  findStub,
  isDid,
  listEnrollments,
  type PostProofVerdict,
  parseAtUri,
  type Step,
  type Stub,
  verifyPostProof,
} from '@stratos/client';
import type { SignedIn } from '../account/signed-in.svelte.ts';

export interface CheckedStep {
  title: string;
  /** What it means that it holds. */
  meaning: string;
  step: Step;
}

export interface Inspection {
  stub: Stub | undefined;
  /** The record as it was signed, where all of it is proven. */
  value: unknown;
  isProven: boolean;
  steps: CheckedStep[];
}

const STEPS = [
  [
    'stub',
    'The stub names it',
    'The author’s PDS has a public stub with the hash of exactly this record.',
  ],
  [
    'record',
    'The bytes are those of the hash',
    'Hashed in your browser, the record gives the hash that the stub has.',
  ],
  [
    'inclusion',
    'It is in the author’s repository',
    'The tree of the commit leads from its root to this record.',
  ],
  [
    'commit',
    'The author’s key signed it',
    'The signature of the commit was checked with the author’s key at the node.',
  ],
  [
    'membership',
    'The node says whose key it is',
    'The node states, signed by the key of its DID document, that the author is a member with that key.',
  ],
] as const satisfies readonly (readonly [keyof PostProofVerdict, string, string])[];

/**
 * Checks a post in this browser: by the stub on the author's PDS and the DID document of the node, without
 * believing the gateway. Undefined where the person may not have its proof. Throws where somebody does not answer.
 */
export async function inspect(uri: string, person: SignedIn): Promise<Inspection | undefined> {
  const { stratos, dids } = person;
  const [proof, stub] = await Promise.all([
    stratos.postProof.query({ uri }),
    findStub(uri, { dids }),
  ]);
  const node = stub?.node ?? proof?.node;
  if (!proof || !isDid(node)) return undefined;
  const [document, signingKey] = await Promise.all([
    dids.resolve(node, { refresh: true }),
    keyOnPds(parseAtUri(uri).did, node, person),
  ]);
  const expect = { uri, cid: stub?.cid ?? proof.cid, signingKey };
  const verdict = await verifyPostProof(proof, { expect, node: document ?? { id: node } });
  const steps = STEPS.map(([name, title, meaning]) => ({
    title,
    meaning,
    step: name === 'stub' ? stubStep(stub, verdict) : verdict[name],
  }));
  return { stub, value: verdict.value, isProven: verdict.isProven && stub !== undefined, steps };
}

/** This browser has read the stub itself, so the gateway's word about it is not needed. */
function stubStep(stub: Stub | undefined, { stub: asGatewaySaw }: PostProofVerdict): Step {
  if (!stub) return 'failed';
  return asGatewaySaw === 'failed' ? 'failed' : 'proven';
}

async function keyOnPds(author: Did, node: Did, { dids }: SignedIn): Promise<string | undefined> {
  const enrollments = await listEnrollments(author, { dids });
  return enrollments.find(({ nodeDid }) => nodeDid === node)?.signingKey;
}
