export * from './cli-error.ts';
export * from './confirm.ts';
export * from './output.ts';
export * from './progress.ts';
export * from './run-program.ts';
