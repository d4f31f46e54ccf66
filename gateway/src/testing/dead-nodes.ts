import { NodeCalls } from '../hydration/nodes/node-calls.ts';
import { createProvenRecords } from '../hydration/nodes/proven-records.ts';
import { createLogger } from '../logger.ts';

/** The records of stubs at nodes of which none can be asked. */
export const deadNodes = createProvenRecords({
  client: { shownRecords: () => Promise.reject(new Error('refused')) },
  calls: new NodeCalls(createLogger('silent')),
});
