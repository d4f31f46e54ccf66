import type { IdResolver } from '@atproto/identity';
import { parseDataKey, RepoVerificationError } from '@atproto/repo';
import { type CommitEvt, parseCommitAuthenticated } from '@atproto/sync';
import { isDidKey, ProofError, RepoProof, toDid } from '@stratos/protocol';
import type { com } from '@stratos/protocol/lexicons';
import { zone } from '@stratos/protocol/lexicons';

type Commit = com.atproto.sync.subscribeRepos.Commit;

/** The collections that matter on a PDS. */
const PUBLIC_COLLECTIONS: ReadonlySet<string> = new Set([
  zone.stratos.actor.enrollment.$nsid,
  zone.stratos.feed.post.$nsid,
]);

/** A commit that does not say, or cannot be shown to say, what a person's records are. */
export class UnreadableCommitError extends Error {
  override name = 'UnreadableCommitError';
  /** A code. */
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super('the commit tells nothing', options);
    this.reason = reason;
  }
}

/** How many operations of a commit matter here. */
export function countRelevant({ ops, tooBig }: Commit): number {
  return tooBig ? 1 : ops.filter(({ path }) => isRelevant(path)).length;
}

/**
 * What a commit does to the records that matter, shown by the account's key of now.
 *
 * @throws UnreadableCommitError when all that it does cannot be known from it
 */
export async function readCommit(ids: IdResolver, commit: Commit): Promise<CommitEvt[]> {
  if (commit.tooBig) throw new UnreadableCommitError('too-big');
  const ops = commit.ops.filter(({ path }) => isRelevant(path));
  await ids.did.resolveAtprotoKey(commit.repo).catch((cause: unknown) => {
    throw new UnreadableCommitError('unresolved', { cause });
  });
  await checkRevision(ids, commit);
  const events = await parseCommitAuthenticated(ids, { ...commit, ops }).catch((cause: unknown) => {
    const isDisproven = cause instanceof RepoVerificationError;
    throw new UnreadableCommitError(isDisproven ? 'unproven' : 'malformed', { cause });
  });
  if (events.length < ops.length) throw new UnreadableCommitError('incomplete');
  return events;
}

/** What is old must not come as news: the account has signed the revision that the source says. */
async function checkRevision(
  ids: IdResolver,
  { repo, rev, blocks }: Pick<Commit, 'repo' | 'rev' | 'blocks'>,
  isKeyFresh = false,
): Promise<void> {
  const key = await ids.did.resolveAtprotoKey(repo, isKeyFresh);
  if (!isDidKey(key)) throw new UnreadableCommitError('unproven');
  try {
    const proof = await RepoProof.read(blocks, { did: toDid(repo), signingKeys: [key] });
    if (proof.repo.rev !== rev) throw new UnreadableCommitError('unproven');
  } catch (cause) {
    if (!(cause instanceof ProofError)) throw cause;
    const { reason } = cause;
    if (reason === 'bad-signature' && !isKeyFresh)
      return checkRevision(ids, { repo, rev, blocks }, true);
    throw new UnreadableCommitError(reason === 'bad-signature' ? 'unproven' : 'malformed', {
      cause,
    });
  }
}

function isRelevant(path: string): boolean {
  try {
    return PUBLIC_COLLECTIONS.has(parseDataKey(path).collection);
  } catch {
    return false;
  }
}
