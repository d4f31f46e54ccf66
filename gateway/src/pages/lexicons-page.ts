import { escapeHtml } from './html.ts';
import { type LexiconField, type LexiconMethod, lexiconMethods } from './lexicons.ts';

/** What the gateway answers over XRPC: each method with its parameters and errors, from its lexicon. */
export function lexiconsPage(): string {
  const methods = lexiconMethods();
  const links = methods.map(({ id }) => `<li><a href="#${id}"><code>${id}</code></a></li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>XRPC · Stratos Gateway</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/front-page.css">
</head>
<body>
<main>
  <header>
    <a href="/"><img src="/assets/icon.svg" alt="Stratos Gateway" width="44" height="44"></a>
    <h1>XRPC</h1>
    <p class="lead">Every method of the gateway, below <code>/xrpc/</code>, as its lexicon describes it.</p>
  </header>
  <nav aria-label="Methods"><ul>${links.join('')}</ul></nav>
  ${methods.map(methodSection).join('')}
</main>
</body>
</html>
`;
}

function methodSection({ id, type, description, parameters, errors, text }: LexiconMethod): string {
  const required = parameters?.required ?? [];
  const fields = Object.entries(parameters?.properties ?? {}).map(([name, field]) =>
    definition(`${name}${required.includes(name) ? '' : '?'}`, fieldText(field)),
  );
  const failures = (errors ?? []).map((error) => definition(error.name, error.description ?? ''));
  return `<section aria-labelledby="${id}">
    <h2 id="${id}"><code>${id}</code></h2>
    <p>${escapeHtml(description)} <span class="hint">${type}</span></p>
    ${fields.length > 0 ? `<dl>${fields.join('')}</dl>` : ''}
    ${failures.length > 0 ? `<h3>Errors</h3><dl>${failures.join('')}</dl>` : ''}
    <details><summary>Lexicon</summary><pre><code>${escapeHtml(text)}</code></pre></details>
  </section>`;
}

function definition(term: string, text: string): string {
  return `<dt><code>${escapeHtml(term)}</code></dt><dd>${escapeHtml(text)}</dd>`;
}

function fieldText(field: LexiconField): string {
  const { description = '', minimum, maximum, maxLength } = field;
  const limits = [
    minimum !== undefined && `from ${minimum}`,
    maximum !== undefined && `to ${maximum}`,
    maxLength !== undefined && `at most ${maxLength}${field.items ? '' : ' bytes'}`,
    field.enum?.join(' or '),
    field.default !== undefined && `${field.default} unless given`,
  ].filter((limit) => limit !== false && limit !== undefined);
  return `${typeName(field)}${limits.length > 0 ? ` (${limits.join(', ')})` : ''}. ${description}`;
}

function typeName({ type, format, items }: LexiconField): string {
  return items ? `array of ${typeName(items)}` : (format ?? type);
}
