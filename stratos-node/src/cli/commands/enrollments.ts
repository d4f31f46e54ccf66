import { CliError, printFacts, printJson, printTable } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

type Page = zone.stratos.admin.listEnrollments.$OutputBody;

const method = zone.stratos.admin.listEnrollments;

export function addEnrollments(program: Command): void {
  program
    .command('enrollments')
    .description('lists everybody who is or was enrolled')
    .option('--active', 'those who are')
    .option('--left', 'those who are not any more')
    .action(async (options: { active?: boolean; left?: boolean }, command: Command) => {
      const client = await adminClientOf(command);
      const people = [];
      for await (const page of client.pages<Page>(method.$nsid, { limit: 1000 })) {
        people.push(
          ...page.enrollments.filter(({ active }) =>
            active ? !options.left || options.active : !options.active || options.left,
          ),
        );
      }
      if (wantsJson(command)) return printJson(people);
      printTable(
        ['DID', 'Enrolled', 'Active', 'Boundaries'],
        people.map(({ did, enrolledAt, active, boundaries }) => [
          did,
          enrolledAt,
          active ? 'yes' : 'left',
          boundaries.map(nameOf).join(' '),
        ]),
        'Nobody.',
      );
    });

  program
    .command('enrollment <did>')
    .description('tells what the node knows of one person')
    .action(async (did: string, _options, command: Command) => {
      const client = await adminClientOf(command);
      const page = await client.query<Page>(method.$nsid, { did });
      const [person] = page.enrollments;
      if (!person) throw new CliError(`${did} never enrolled here`);
      if (wantsJson(command)) return printJson(person);
      const { enrolledAt, pdsEndpoint = 'unknown', signingKey, active, boundaries } = person;
      printFacts({
        person: did,
        enrolled: `${enrolledAt}${active ? '' : ', and left'}`,
        pds: pdsEndpoint,
        key: signingKey,
        boundaries: boundaries.join(' ') || 'none',
      });
    });
}

/** The name that a boundary has at its node. */
function nameOf(boundary: string): string {
  return boundary.slice(boundary.indexOf('/') + 1);
}
