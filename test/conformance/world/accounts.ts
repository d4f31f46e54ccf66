import { z } from 'zod';
import { enrollAccount } from '../../network/src/enroll-account.ts';
import type { RemoteNode } from './node.ts';
import { PdsSession } from './pds.ts';
import { Person } from './person.ts';
import type { Newcomer, People } from './world.ts';

/** Where accounts sign in that name no PDS of their own. */
const DEFAULT_PDS = 'https://bsky.social';

/** What `--accounts` may have. */
export const accountList = z.array(
  z.strictObject({
    handle: z.string().min(1),
    password: z.string().min(1),
    pds: z.url().default(DEFAULT_PDS),
    /** May be enrolled and unenrolled; not enrolled at the beginning. */
    newcomer: z.boolean().default(false),
  }),
);

export type AccountEntry = z.output<typeof accountList>[number];

/** Accounts that are not enrolled as the suite needs them. */
export class UnsuitableAccountsError extends Error {
  override name = 'UnsuitableAccountsError';
}

/** Signs everybody in and finds out who is what to whom. Throws {@link UnsuitableAccountsError}. */
export async function meetPeople(
  node: RemoteNode,
  accounts: readonly AccountEntry[],
): Promise<{ people: People; newcomer: Newcomer | undefined }> {
  const enrolled: Person[] = [];
  let newcomer: Newcomer | undefined;
  for (const account of accounts) {
    const { handle: username, password } = account;
    const session = await PdsSession.signIn(account.pds, username, password);
    const person = new Person(node, username, session);
    if (account.newcomer) {
      newcomer = {
        person,
        enroll: async () => void (await enrollAccount(node.url.href, { username, password })),
      };
      continue;
    }
    const { boundaries = [] } = await person.status();
    person.boundaries = boundaries.map(({ value }) => value);
    enrolled.push(person);
  }
  return { people: roles(enrolled), newcomer };
}

function roles(people: readonly Person[]): People {
  for (const author of people) {
    for (const shared of author.boundaries) {
      const others = people.filter((person) => person !== author);
      const member = others.find(({ boundaries }) => boundaries.includes(shared));
      const outsider = others.find(({ boundaries }) => !boundaries.includes(shared));
      if (member && outsider) return { author, member, outsider, shared };
    }
  }
  throw new UnsuitableAccountsError(
    'Of the accounts, two must share a boundary of the node that a third does not have',
  );
}
