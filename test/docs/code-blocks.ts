import { readFile } from 'node:fs/promises';

/** Code on a page of the documentation. */
export interface CodeBlock {
  /** Of the line that opens it, from 1. */
  line: number;
  language: string;
  code: string;
  /** The file that the text before it says to save it as. */
  file: string | undefined;
  /** Why it is not run, by the comment `<!-- not run: … -->` before it. */
  notRun: string | undefined;
  /** Whether it goes on until it is stopped, by the comment `<!-- runs until stopped -->` before it. */
  isEndless: boolean;
}

const FENCE = /^```(\w*)$/;
const NOT_RUN = /<!-- not run: (.+) -->/;
const ENDLESS = '<!-- runs until stopped -->';
const FILE = /`([\w-]+\.mjs)`/;

/** The blocks of a page that name their language, in order. */
export async function codeBlocks(page: string): Promise<CodeBlock[]> {
  const blocks: CodeBlock[] = [];
  let before: string[] = [];
  let open: { line: number; language: string; code: string[] } | undefined;
  for (const [index, text] of (await readFile(page, 'utf8')).split('\n').entries()) {
    const fence = FENCE.exec(text);
    if (!open && fence) open = { line: index + 1, language: fence[1] ?? '', code: [] };
    else if (!open) before.push(text);
    else if (!fence) open.code.push(text);
    else {
      const { line, language, code } = open;
      const introduction = before.slice(-5).join('\n');
      if (language !== '') {
        blocks.push({
          line,
          language,
          code: code.join('\n'),
          file: FILE.exec(introduction)?.[1],
          notRun: NOT_RUN.exec(introduction)?.[1],
          isEndless: introduction.includes(ENDLESS),
        });
      }
      open = undefined;
      before = [];
    }
  }
  return blocks;
}
