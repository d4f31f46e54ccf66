import {
  MetricsGate,
  type MetricsGateOptions,
  noTracer,
  processMetrics,
  type Tracer,
} from '@stratos/protocol/telemetry';
import type { RequestHandler, Response } from 'express';
import { GatewayMetrics } from './gateway-metrics.ts';

const DOORS = new Set(['graphql', 'trpc', 'xrpc', 'blob']);
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Counts what a gateway answers, and follows it where a tracer does. */
export class Telemetry {
  readonly metrics = new GatewayMetrics();
  readonly tracer: Tracer;

  constructor(tracer: Tracer = noTracer) {
    this.tracer = tracer;
  }

  /** Times requests. What a request leads to belongs to its step. */
  readonly observe: RequestHandler = ({ method, path }, res, next) => {
    const door = doorOf(path);
    const stop = this.metrics.requests.startTimer({ door });
    this.tracer.begin(`${method} ${door}`, { door }, (span) => {
      res.once('close', () => {
        const { statusCode } = res;
        if (!isStream(res)) stop({ status: `${Math.floor(statusCode / 100)}xx` });
        span.set({ status: statusCode });
        span.end(statusCode < 500 && res.writableFinished ? 'ok' : 'failed');
      });
      next();
    });
  };

  /** `GET /metrics`, for the operator. */
  report(options: MetricsGateOptions): RequestHandler {
    const gate = new MetricsGate(options);
    return async (req, res) => {
      res.setHeader('Cache-Control', 'no-store');
      const refusal = gate.refusal(req);
      if (refusal === 429) {
        res.status(429).setHeader('Retry-After', '60').json({ error: 'RateLimitExceeded' });
      } else if (refusal === 401) {
        res.setHeader('WWW-Authenticate', 'Basic realm="admin"');
        res.status(401).json({ error: 'AuthRequired' });
      } else {
        const text = `${await this.metrics.text()}\n${await processMetrics()}`;
        res.type(METRICS_TYPE).send(text);
      }
    };
  }
}

/** One of few, because paths are what somebody wrote. */
function doorOf(path: string): string {
  const [, first = ''] = path.split('/');
  return DOORS.has(first) ? first : 'other';
}

function isStream(res: Response): boolean {
  return String(res.getHeader('content-type')).startsWith('text/event-stream');
}
