import { InvalidInputError, StratosError, UnreachableError } from '../errors.ts';
import { fieldOf, listOf, textOf } from '../http/fields.ts';
import type { Asking } from '../http/request.ts';
import { procedure } from '../http/xrpc.ts';
import { cidOf } from '../proof/cid.ts';
import { decodeMap, toJson } from '../proof/dag-cbor.ts';
import { encodeJson } from '../proof/encode-json.ts';
import { FlawError } from '../proof/flaw.ts';
import type { Stub } from '../routing/stub.ts';
import type { Session } from '../session/session.ts';

/** What became of a stub. */
export type Hydrated =
  /** The record that the stub names, in the JSON of AT Protocol: its bytes are those of the CID. */
  | { status: 'proven'; record: unknown }
  /** Missing, deleted, or not for the person: these are not told apart. */
  | { status: 'absent' }
  /** The node answered with something else than the stub names, such as a version that is newer. */
  | { status: 'unproven' }
  /** Its node could not be asked, or refused. */
  | { status: 'failed'; error: StratosError };

export interface HydrateOptions extends Pick<Asking, 'timeoutMs' | 'signal'> {
  /** The session of the person at the node of a stub. Asked for once for each node. */
  sessionAt: (stub: Stub) => Promise<Session>;
}

/** What nodes have of stubs, or why that is not known. */
type Answers = Map<Stub, unknown>;

const METHOD = 'zone.stratos.repo.hydrateRecords';
const STUBS_PER_CALL = 100;
const NODES_SIDE_BY_SIDE = 6;

/**
 * The full records that stubs stand for, in the order of the stubs. Each node is asked for its own, 100 at a
 * time; one that is away costs no others. A record is taken only if its bytes are those of the CID that its
 * stub names, so a node can leave out but not make up.
 *
 * @throws what `signal` was aborted with, and what `sessionAt` throws unless it is a `StratosError`
 * @example
 * const stub = await findStub(uri, { dids });
 * const sessionAt = async ({ node, fragment }) =>
 *   openNodeSession({ pds, node: await findNode(node, { dids, fragment }) });
 * const [hydrated] = await hydrate([stub], { sessionAt });
 * if (hydrated.status === 'proven') console.log(hydrated.record.text);
 */
export async function hydrate(
  stubs: readonly Stub[],
  options: HydrateOptions,
): Promise<Hydrated[]> {
  const nodes = Map.groupBy(stubs, ({ node, fragment }) => `${node}#${fragment ?? ''}`).values();
  const answers: Answers = new Map();
  const askNextNodes = async () => {
    for (const ofNode of nodes) await askNode(ofNode, answers, options);
  };
  await Promise.all(Array.from({ length: NODES_SIDE_BY_SIDE }, askNextNodes));
  return Promise.all(stubs.map((stub) => checked(stub, answers.get(stub))));
}

/** Calls one after the other; once it does not answer it is not asked again. */
async function askNode(
  stubs: readonly Stub[],
  answers: Answers,
  { sessionAt, ...call }: HydrateOptions,
): Promise<void> {
  const [first] = stubs;
  if (!first) return;
  try {
    const session = await sessionAt(first);
    if (session.service.did !== first.node) {
      throw new InvalidInputError('OtherNode', `the session is not of ${first.node}`);
    }
    for (let at = 0; at < stubs.length; at += STUBS_PER_CALL) {
      await ask(session, stubs.slice(at, at + STUBS_PER_CALL), answers, call);
    }
  } catch (error) {
    if (!(error instanceof StratosError)) throw error;
    for (const stub of stubs) if (!answers.has(stub)) answers.set(stub, error);
  }
}

/** In halves where the answer is too much to be read as one. */
async function ask(
  session: Session,
  stubs: readonly Stub[],
  answers: Answers,
  call: Pick<Asking, 'timeoutMs' | 'signal'>,
): Promise<void> {
  try {
    const json = { uris: stubs.map(({ uri }) => uri) };
    const answer = await procedure(session, METHOD, { ...call, json });
    const records = new Map(listOf(answer, 'records').map((view) => [textOf(view, 'uri'), view]));
    for (const stub of stubs) answers.set(stub, fieldOf(records.get(stub.uri), 'value'));
  } catch (error) {
    const isTooMuch = error instanceof UnreachableError && error.code === 'BadAnswer';
    if (!isTooMuch || stubs.length === 1) throw error;
    const half = Math.ceil(stubs.length / 2);
    await ask(session, stubs.slice(0, half), answers, call);
    await ask(session, stubs.slice(half), answers, call);
  }
}

async function checked(stub: Stub, answer: unknown): Promise<Hydrated> {
  if (answer instanceof StratosError) return { status: 'failed', error: answer };
  if (answer === undefined) return { status: 'absent' };
  try {
    const bytes = encodeJson(answer);
    if ((await cidOf(bytes)) !== stub.cid) return { status: 'unproven' };
    return { status: 'proven', record: toJson(decodeMap(bytes)) };
  } catch (error) {
    if (error instanceof FlawError) return { status: 'unproven' };
    throw error;
  }
}
