import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];
type Paint = (text: string) => string;

/** Colours for a stream; plain text where it takes none (no terminal, `NO_COLOR`). */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly green: Paint;
  readonly red: Paint;
  readonly cyan: Paint;
}

export function styleFor(stream: NodeJS.WriteStream): Style {
  const paint = (format: Format): Paint => {
    return (text) => styleText(format, text, { stream });
  };
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    green: paint('green'),
    red: paint('red'),
    cyan: paint('cyan'),
  };
}
