export * from './from-this-machine.ts';
export * from './kept-for.ts';
export * from './metrics.ts';
export * from './metrics-gate.ts';
export * from './operator-password.ts';
export * from './process-metrics.ts';
export * from './tracer.ts';
export * from './tracing.ts';
