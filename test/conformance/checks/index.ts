import type { Check } from '../check.ts';
import { adminGuessing, administration } from './admin.ts';
import { applyManyWrites } from './apply-writes.ts';
import { blobs } from './blobs.ts';
import { createRecords } from './create-record.ts';
import { didDocument } from './did-document.ts';
import { domains } from './domains.ts';
import { enrollmentStatus } from './enrollment-status.ts';
import { enrollments } from './enrollments.ts';
import { getRecords } from './get-record.ts';
import { health } from './health.ts';
import { http } from './http.ts';
import { hydration } from './hydrate.ts';
import { keyHistory } from './key-history.ts';
import { knownFaults } from './known-faults.ts';
import { listsOfRecords } from './list-records.ts';
import { membershipLog } from './membership-log.ts';
import { oauth } from './oauth.ts';
import { proofs } from './proofs.ts';
import { deleteRecords, putRecords } from './put-and-delete.ts';
import { describeRepos, latestCommits } from './repos.ts';
import { serviceAuth } from './service-auth.ts';
import { sessions } from './sessions.ts';
import { recordStream } from './subscribe-records.ts';
import { serviceStream } from './subscribe-service.ts';
import { tickets } from './tickets.ts';
import { exports, imports } from './transfer.ts';

const GROUPS = [
  didDocument,
  health,
  http,
  domains,
  keyHistory,
  enrollmentStatus,
  enrollments,
  serviceAuth,
  sessions,
  createRecords,
  putRecords,
  deleteRecords,
  applyManyWrites,
  getRecords,
  listsOfRecords,
  hydration,
  describeRepos,
  latestCommits,
  proofs,
  blobs,
  exports,
  imports,
  serviceStream,
  recordStream,
  tickets,
  administration,
  membershipLog,
  oauth,
  knownFaults,
  adminGuessing,
];

/** Every check, in the order in which they run. */
export const CHECKS: readonly Check[] = GROUPS.flatMap(({ checks }) => checks);
