import { ConfigError } from '../environment.ts';
import { noTracer, type Tracer } from './tracer.ts';

/** A tracer that somebody has to close, so that the last spans are sent. */
export interface Tracing extends AsyncDisposable {
  readonly tracer: Tracer;
}

type Environment = Record<string, string | undefined>;

/**
 * Tracing as the standard variables of OpenTelemetry have it. Where none asks for it, nothing of
 * OpenTelemetry is loaded.
 *
 * @param service - what it is called where the variables do not name it
 * @throws ConfigError for an exporter or a protocol that there is not
 */
export async function openTracing(env: Environment, service: string): Promise<Tracing> {
  if (!isWanted(env)) return { tracer: noTracer, [Symbol.asyncDispose]: async () => undefined };
  const exporter = env['OTEL_TRACES_EXPORTER'] || 'otlp';
  if (exporter !== 'otlp') throw new ConfigError('OTEL_TRACES_EXPORTER: must be otlp or none');
  const protocol =
    env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'] || 'http/json';
  if (!protocol.startsWith('http/')) {
    throw new ConfigError('OTEL_EXPORTER_OTLP_PROTOCOL: must be http/json');
  }
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry(service);
}

function isWanted(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return false;
  return [
    'OTEL_TRACES_EXPORTER',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  ].some((name) => Boolean(env[name]));
}
