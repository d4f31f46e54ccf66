/** What may be said about a step: names and numbers, no content and nobody's DID. */
export type Attributes = Record<string, string | number | boolean>;

/** A step that is under way. */
export interface Span {
  rename(name: string): void;
  set(attributes: Attributes): void;
  end(outcome: 'ok' | 'failed'): void;
}

/** Follows what a request or an event leads to. */
export interface Tracer {
  /** Begins a step. What `run` begins belongs to it; the step lasts until {@link Span.end}. */
  begin<T>(name: string, attributes: Attributes, run: (span: Span) => T): T;
}

const unseen: Span = { rename() {}, set() {}, end() {} };

/** Follows nothing, at no cost. */
export const noTracer: Tracer = { begin: (_name, _attributes, run) => run(unseen) };

/** Runs `task` as a step of its own. */
export async function traced<T>(
  tracer: Tracer,
  name: string,
  attributes: Attributes,
  task: () => Promise<T>,
): Promise<T> {
  if (tracer === noTracer) return task();
  return tracer.begin(name, attributes, async (span) => {
    try {
      const result = await task();
      span.end('ok');
      return result;
    } catch (error) {
      span.end('failed');
      throw error;
    }
  });
}
