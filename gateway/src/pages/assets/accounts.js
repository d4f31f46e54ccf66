// Signs in as a demo account of the local network, and lets requests of the page carry the session.
(() => {
  const { demo } = JSON.parse(document.querySelector('#settings').textContent);
  const who = document.querySelector('#who');
  const buttons = [...document.querySelectorAll('#bar button')];
  const plainFetch = window.fetch.bind(window);
  const RENEW_BEFORE_MS = 30_000;
  const METHOD = 'zone.stratos.gateway.createSession';
  let current;

  async function json(url, options) {
    const response = await plainFetch(url, options);
    if (!response.ok)
      throw new Error(`${new URL(url, location.href).pathname} answered ${response.status}`);
    return response.json();
  }

  async function signIn({ handle, password }) {
    const pds = await json(`${demo.pdsUrl}/xrpc/com.atproto.server.createSession`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier: handle, password }),
    });
    const query = new URLSearchParams({ aud: demo.audience, lxm: METHOD });
    const { token } = await json(`${demo.pdsUrl}/xrpc/com.atproto.server.getServiceAuth?${query}`, {
      headers: { authorization: `Bearer ${pds.accessJwt}` },
    });
    const session = await json(`/xrpc/${METHOD}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    return { handle, password, token: session.token, expiresAt: Date.parse(session.expiresAt) };
  }

  async function authorization() {
    if (!current) return undefined;
    if (current.expiresAt - Date.now() < RENEW_BEFORE_MS) {
      const renewed = await signIn(current);
      if (renewed.handle === current?.handle) current = renewed;
    }
    return `Bearer ${current.token}`;
  }

  window.fetch = async (input, init = {}) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.origin === location.origin && /^\/(graphql|trpc)\b/.test(url.pathname)) {
      const header = await authorization();
      if (header && !request.headers.has('authorization'))
        request.headers.set('authorization', header);
    }
    return plainFetch(request);
  };

  function show(handle) {
    for (const button of buttons) {
      button.setAttribute('aria-pressed', String(button.dataset.handle === handle));
    }
  }

  // Runs what is in the editor, which may still be loading, unless somebody was quicker.
  async function run() {
    for (let tries = 0; tries < 100; tries++) {
      const button = document.querySelector('.graphiql-execute-button, #run');
      if (button) {
        if (button.getAttribute('aria-label')?.startsWith('Execute')) button.click();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function choose(account) {
    for (const button of buttons) button.disabled = true;
    who.textContent = `Signing in as ${account.handle} …`;
    try {
      current = await signIn(account);
      show(account.handle);
      who.textContent = `Signed in as ${account.handle}`;
      void run();
    } catch (error) {
      current = undefined;
      show(undefined);
      who.textContent = `Could not sign in as ${account.handle}: ${error.message}`;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  for (const button of buttons) {
    const account = demo.accounts.find(({ handle }) => handle === button.dataset.handle);
    button.addEventListener('click', () => choose(account));
  }
})();
