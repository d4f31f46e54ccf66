import assert from 'node:assert/strict';
import { CheckGroup } from '../check.ts';

/** What those ask who watch over the node. */
export const health = new CheckGroup('health');

health.add('/health says that it is well', async ({ node }) => {
  const answer = await node.request('/health');
  assert.equal(answer.status, 200);
  assert.equal(answer.contentType, 'application/json');
  assert.equal(answer.json['status'], 'ok');
});

health.add('/ready says that it can work', async ({ node }) => {
  const answer = await node.request('/ready');
  assert.equal(answer.status, 200);
  assert.equal(answer.contentType, 'application/json');
});

health.add(
  '/health and /ready tell nothing of who is enrolled or what is kept',
  async ({ node }) => {
    for (const path of ['/health', '/ready']) {
      const { text } = await node.request(path);
      assert.doesNotMatch(text, /did:plc:|at:\/\/|postgres:|password|\/data/);
    }
  },
);

health.add(
  '/metrics is in the text format of Prometheus, for whoever may see it',
  async ({ node }) => {
    const answer = await node.request('/metrics');
    if (answer.status === 401 || answer.status === 403) return;
    assert.equal(answer.status, 200);
    assert.equal(answer.contentType, 'text/plain');
    assert.match(answer.text, /^# TYPE \w+ (counter|gauge|histogram|summary)$/m);
  },
);

health.add('/metrics names nobody and nothing that is private', async ({ node }) => {
  const { text } = await node.request('/metrics');
  assert.doesNotMatch(text, /did:plc:|at:\/\/|rkey|eyJ/);
  for (const domain of node.domains) assert.ok(!text.includes(domain), 'it names a boundary');
});

health.add('/ greets in plain text', async ({ node }) => {
  const answer = await node.request('/');
  assert.equal(answer.status, 200);
  assert.equal(answer.contentType, 'text/plain');
});
