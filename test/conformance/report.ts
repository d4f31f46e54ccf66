import { type Style, styleFor } from '../network/src/console-style.ts';
import { type Check, NEEDS } from './check.ts';
import type { Outcome } from './run.ts';

/** Says of each check how it went, as it goes, group by group. */
export class ConsoleReport {
  readonly #out: NodeJS.WriteStream;
  readonly #style: Style;
  #group: string | undefined;
  /** Why the check before was skipped. */
  #lacked: string | undefined;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#style = styleFor(out);
  }

  add({ group, name, result, reason, milliseconds }: Outcome): void {
    const { bold, dim, green, red, cyan } = this.#style;
    if (group !== this.#group) {
      this.#say(`\n${bold(group)}`);
      this.#lacked = undefined;
    }
    this.#group = group;
    const mark = { passed: green('✓'), failed: red('✗'), skipped: cyan('–') }[result];
    const time = result === 'skipped' ? '' : dim(` ${milliseconds} ms`);
    this.#say(`  ${mark} ${name}${time}`);
    if (result === 'skipped' && reason !== this.#lacked) this.#say(dim(`      skipped: ${reason}`));
    this.#lacked = result === 'skipped' ? reason : undefined;
    if (result === 'failed') this.#say(red((reason ?? '').replaceAll(/^/gm, '      ')));
  }

  /** The last lines: how many of each, and what failed once more. */
  end(outcomes: readonly Outcome[], node: string): void {
    const { bold, green, red } = this.#style;
    const failed = outcomes.filter(({ result }) => result === 'failed');
    const { passed, skipped } = counts(outcomes);
    this.#say('');
    for (const { group, name } of failed) this.#say(red(`failed: ${group}: ${name}`));
    const verdict = failed.length > 0 ? red(`${failed.length} failed`) : green('none failed');
    this.#say(bold(`${node}: ${passed} passed, ${verdict}, ${skipped} skipped`));
  }

  #say(line: string): void {
    this.#out.write(`${line}\n`);
  }
}

/** How many checks passed, failed and were skipped. */
export function counts(outcomes: readonly Outcome[]): Record<Outcome['result'], number> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { result } of outcomes) total[result]++;
  return total;
}

/** The checks and what each needs, one a line. */
export function listing(checks: readonly Check[]): string {
  const lines = checks.map(({ group, name, needs }) =>
    [`${group}: ${name}`, ...(needs.length > 0 ? [`[${needs.join(', ')}]`] : [])].join(' '),
  );
  const legend = Object.entries(NEEDS).map(([need, how]) => `[${need}]: ${how}`);
  return [...lines, '', `${checks.length} checks`, ...legend].join('\n');
}
