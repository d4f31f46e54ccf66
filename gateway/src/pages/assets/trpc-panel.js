// Lists the procedures, and sends what is typed to the one that is chosen.
(() => {
  const { procedures } = JSON.parse(document.querySelector('#settings').textContent);
  const [nav, form, title, input, schema, answer] = [
    'nav',
    'form',
    'h1',
    '#input',
    '#schema',
    '#answer',
  ].map((selector) => document.querySelector(`#panel ${selector}`));
  const EXAMPLES = {
    timeline: { limit: 5 },
    authorFeed: { actor: 'sakura.test', limit: 5 },
    search: { text: 'steel' },
    actor: { actor: 'sakura.test' },
  };
  let chosen;
  let asking = new AbortController();

  function choose(procedure) {
    asking.abort();
    chosen = procedure;
    title.textContent = `${procedure.name} · ${procedure.type}`;
    input.disabled = !procedure.input;
    input.value = procedure.input ? JSON.stringify(EXAMPLES[procedure.name] ?? {}, null, 2) : '';
    schema.textContent = procedure.input ? JSON.stringify(procedure.input, null, 2) : 'Nothing.';
    answer.textContent = '';
    for (const button of nav.children) {
      button.setAttribute('aria-current', String(button.textContent === procedure.name));
    }
  }

  /** The answer to a query, or events for as long as nothing else is asked. */
  async function ask() {
    asking.abort();
    asking = new AbortController();
    answer.textContent = '…';
    try {
      const query = chosen.input
        ? `?${new URLSearchParams({ input: JSON.stringify(JSON.parse(input.value || '{}')) })}`
        : '';
      const isLive = chosen.type === 'subscription';
      const response = await fetch(`/trpc/${chosen.name}${query}`, {
        headers: { accept: isLive ? 'text/event-stream' : 'application/json' },
        signal: asking.signal,
      });
      if (!isLive) {
        answer.textContent = JSON.stringify(await response.json(), null, 2);
        return;
      }
      answer.textContent = '';
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        answer.append(text);
      }
    } catch (error) {
      if (error.name !== 'AbortError') answer.textContent = String(error.message);
    }
  }

  for (const procedure of procedures) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = procedure.name;
    button.addEventListener('click', () => choose(procedure));
    nav.append(button);
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void ask();
  });
  choose(procedures.find(({ name }) => name === 'timeline'));
})();
