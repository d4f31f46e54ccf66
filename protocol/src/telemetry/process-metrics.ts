import { collectDefaultMetrics, Registry } from 'prom-client';

let registry: Registry | undefined;

/** What Prometheus wants of each process: CPU, memory, event-loop lag, garbage collection. */
export async function processMetrics(): Promise<string> {
  // @NOTE one for the process, however many services it has: its probes cannot be taken out again
  if (!registry) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry.metrics();
}
