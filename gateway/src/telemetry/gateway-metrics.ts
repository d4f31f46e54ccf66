import { Metrics } from '@stratos/protocol/telemetry';

/** What a gateway counts. */
export class GatewayMetrics extends Metrics {
  readonly requests = this.histogram(
    'stratos_gateway_request_duration_seconds',
    'Requests that were answered, streams left out, by door and class of status',
    ['door', 'status'],
  );
}
