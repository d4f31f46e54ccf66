import { parseCid } from '@atproto/lex-data';
import {
  type Did,
  type DidKey,
  ProofError,
  type RepoCommit,
  readRepoCommit,
  signerOf,
  type Tid,
  walkTree,
} from '@stratos/protocol';
import { type CidBytes, textOf } from '@stratos/protocol/tree';
import type { Database } from 'better-sqlite3';
import { CheckedBlocks } from './checked-blocks.ts';
import { NamedBoundaries } from './named-boundaries.ts';
import { verifyBlobs } from './verify-blobs.ts';
import { verifyLog } from './verify-log.ts';

export interface PersonToVerify {
  did: Did;
  /** By which the commits are signed; undefined for somebody who is not known. */
  signingKeyDid: DidKey | undefined;
}

export interface VerifyRepoOptions {
  /** Undefined if it is not known, and with it what bare names of boundaries mean. */
  node: Did | undefined;
  dataDir: string;
  onRecord: () => void;
}

export interface RootRow {
  cid: string;
  rev: Tid;
}

interface RecordRow {
  uri: string;
  cid: string;
  takedownRef: string | null;
}

/** What is wrong with a repo: signature, tree, blocks, rows, log, blobs. */
export async function* verifyRepo(
  actor: Database,
  { did, signingKeyDid }: PersonToVerify,
  { dataDir, node, onRecord }: VerifyRepoOptions,
): AsyncGenerator<string> {
  const integrity = actor.pragma('quick_check(1)', { simple: true });
  if (integrity !== 'ok') return yield 'the database is damaged';
  const root = actor
    .prepare<[Did], RootRow>('SELECT cid, rev FROM stratos_repo_root WHERE did = ?')
    .get(did);
  yield* verifyLog(actor, root);
  yield* verifyBlobs(actor, did, dataDir);
  if (!root) return;
  const blocks = new CheckedBlocks(actor);
  for (const cid of blocks.wrong()) yield `block ${cid} is not what its CID says`;
  const commit = yield* verifyCommit(blocks, root, did, signingKeyDid);
  if (!commit) return;
  const named = node && new NamedBoundaries(actor, node);
  yield* verifyRows(actor, { blocks, data: commit.data.bytes, did, named, onRecord });
  if (blocks.unused.size > 0) yield `${blocks.unused.size} blocks belong to nothing`;
}

async function* verifyCommit(
  blocks: CheckedBlocks,
  root: RootRow,
  did: Did,
  key: DidKey | undefined,
): AsyncGenerator<string, RepoCommit | undefined> {
  let commit: RepoCommit;
  try {
    commit = await readRepoCommit(blocks, parseCid(root.cid));
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    const isMissing = error.reason === 'not-included';
    yield `the newest commit ${isMissing ? 'is missing' : 'cannot be read'}`;
    return undefined;
  }
  if (commit.did !== did || commit.rev !== root.rev) yield 'the newest commit is of another repo';
  if (key && !signerOf(commit, [key])) yield 'the newest commit is not signed by its person';
  return commit;
}

interface Tree {
  blocks: CheckedBlocks;
  /** Its root. */
  data: CidBytes;
  did: Did;
  named: NamedBoundaries | undefined;
  onRecord: () => void;
}

async function* verifyRows(
  actor: Database,
  { blocks, data, did, named, onRecord }: Tree,
): AsyncGenerator<string> {
  const rows = recordRows(actor);
  let row = rows.next();
  try {
    for await (const { key, value } of walkTree(blocks, data)) {
      const uri = `at://${did}/${key}`;
      while (row.value && row.value.uri < uri) {
        if (row.value.takedownRef === null) yield `${row.value.uri} is not in the tree`;
        row = rows.next();
      }
      const standing = row.value?.uri === uri ? row.value : undefined;
      if (standing?.cid !== textOf(value)) yield `${uri} has no row that says the same`;
      const bytes = blocks.get(value);
      if (!bytes && (standing?.takedownRef ?? null) === null) yield `${uri} has no content`;
      if (bytes && named?.areListed(uri, bytes) === false) {
        yield `${uri} is not listed under the boundaries that it names`;
      }
      if (standing) row = rows.next();
      onRecord();
    }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return yield 'the tree cannot be read to its end';
  }
  for (; row.value; row = rows.next()) {
    if (row.value.takedownRef === null) yield `${row.value.uri} is not in the tree`;
  }
}

const ROWS_PER_READ = 1000;

/** Every record's row, in the order of the tree. */
function* recordRows(actor: Database): Generator<RecordRow, undefined> {
  const page = actor.prepare<[string, number], RecordRow>(
    'SELECT uri, cid, takedownRef FROM stratos_record WHERE uri > ? ORDER BY uri LIMIT ?',
  );
  let after = '';
  for (;;) {
    const rows = page.all(after, ROWS_PER_READ);
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_PER_READ) return undefined;
    after = last.uri;
  }
}
