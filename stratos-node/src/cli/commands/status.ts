import { printFacts, printJson, sized } from '@stratos/protocol/cli';
import { zone } from '@stratos/protocol/lexicons';
import type { Command } from 'commander';
import { adminClientOf, wantsJson } from '../settings.ts';

const method = zone.stratos.admin.getStatus;

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('says how the node is: what it keeps and what waits')
    .action(async (_options, command: Command) => {
      const client = await adminClientOf(command);
      const status = await client.query<zone.stratos.admin.getStatus.$OutputBody>(method.$nsid);
      if (wantsJson(command)) return printJson(status);
      const { outboxWaiting, outboxParked, outboxOldest, dataBytesFree } = status;
      printFacts({
        node: status.did,
        version: status.version,
        running: `since ${status.startedAt}`,
        storage: status.storage,
        people: `${status.enrolled} enrolled, ${status.left} left`,
        stream: `at ${status.streamPosition}, ${status.consumers} listening`,
        memberships: `at ${status.membershipPosition}`,
        outbox: `${outboxWaiting} waiting, ${outboxParked} of them parked${outboxOldest === undefined ? '' : `, since ${outboxOldest}`}`,
        disk: dataBytesFree === undefined ? 'unknown' : `${sized(dataBytesFree)} free`,
      });
    });
}
