import { context, type Span as OtelSpan, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Span, Tracer } from './tracer.ts';
import type { Tracing } from './tracing.ts';

/** Milliseconds that the last spans get when the process stops. */
const FLUSH_WITHIN_MS = 2_000;

/** Sends spans by OTLP over HTTP, as the variables of OpenTelemetry say. */
export function openTelemetry(service: string): Tracing {
  const named = resourceFromAttributes({ 'service.name': service });
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter(), { exportTimeoutMillis: FLUSH_WITHIN_MS }),
    ],
  });
  provider.register();
  const otel = provider.getTracer(service);
  const tracer: Tracer = {
    begin(name, attributes, run) {
      const span = otel.startSpan(name, { attributes });
      return context.with(trace.setSpan(context.active(), span), () => run(toSpan(span)));
    },
  };
  return { tracer, [Symbol.asyncDispose]: () => provider.shutdown().catch(() => undefined) };
}

function toSpan(span: OtelSpan): Span {
  return {
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes(attributes),
    end(outcome) {
      if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}
