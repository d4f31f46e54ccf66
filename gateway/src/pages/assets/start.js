// Starts GraphiQL, whose workers are served from here too.
self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_moduleId, label) => `/assets/worker-${label}.js`,
};
const { examples } = JSON.parse(document.querySelector('#settings').textContent);
globalThis.YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  endpoint: '/graphql',
  title: 'Stratos Gateway',
  defaultQuery: examples[0].query,
  defaultTabs: examples,
  shouldPersistHeaders: false,
  method: 'POST',
});
