import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const HEAD = `
  const { runService } = await import(${JSON.stringify(join(import.meta.dirname, 'run-service.ts'))});
  const { ConfigError } = await import(${JSON.stringify(join(import.meta.dirname, 'environment.ts'))});
`;

/** Runs a service in a process of its own, and asks it to stop once it says that it is ready. */
async function run(start: string, signal: NodeJS.Signals = 'SIGTERM') {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HEAD + start]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      if (String(chunk).includes('ready')) child.kill(signal);
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

const running = (dispose: string) => `
  await runService('the service', async () => {
    const beat = setInterval(() => {}, 1000);
    setTimeout(() => console.log('ready'), 50);
    return { async [Symbol.asyncDispose]() { ${dispose} clearInterval(beat); } };
  });`;

// @NOTE each is a process of its own, most of whose time is waiting
describe.concurrent('runService', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order on %s', async (signal) => {
    const { code, output } = await run(running("console.log('closed');"), signal);
    expect(code).toBe(0);
    expect(output).toContain('closed');
  });

  it('exits even when stopping hangs', async () => {
    expect((await run(running('await new Promise(() => {});'))).code).toBe(0);
  });

  it('ends at once when it is told to a second time', async () => {
    const again = "setTimeout(() => process.kill(process.pid, 'SIGTERM'), 1500);";
    expect((await run(running(`${again} await new Promise(() => {});`))).code).toBe(143);
  });

  it('takes a signal that arrives twice for one', async () => {
    const start = running(`
      process.kill(process.pid, 'SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 200));
      console.log('closed');`);
    const { code, output } = await run(start);
    expect(code).toBe(0);
    expect(output).toContain('closed');
  });

  it('says in one line what is wrong with the environment', async () => {
    const { code, output } = await run(
      "await runService('the service', async () => { throw new ConfigError('PORT: is required'); });",
    );
    expect(code).toBe(1);
    expect(output).toBe('the service cannot run: PORT: is required\n');
  });
});
