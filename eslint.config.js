import tseslint from 'typescript-eslint'

/** The packages that may be imported in a few files only, with those files. */
const confined = {
  'onnxruntime-node': ['src/encoder/session.ts'],
  sharp: ['src/encoder/decode-image.ts', 'src/encoder/thumbnail.ts'],
  'hnswlib-node': ['src/collections/hnsw-graph.ts'],
  'better-sqlite3': ['src/collections/store/connection.ts', 'src/hub/exclusive-lock.ts'],
  undici: ['src/hub/hub.ts', 'src/hub/request.ts', 'src/hub/status-error.ts', 'src/hub/download.ts']
}
const banned = (except = []) =>
  Object.keys(confined)
    .filter((name) => !except.includes(name))
    .map((name) => ({ name, message: `${name} is imported in ${confined[name].join(', ')} only.` }))

const fastify = { group: ['fastify', '@fastify/*', '!@fastify/error'], message: 'This folder knows nothing of HTTP.' }
const upwards = {
  group: ['**/app.js', '**/server.js', '**/routes/*', '**/ingest.js', '**/demo.js'],
  message: 'Imports run one way: server -> app -> routes -> {encoder, collections} -> errors.'
}
const layer = (folder, patterns) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { paths: banned(), patterns }] }
})
const layers = {
  encoder: [fastify, upwards, { group: ['**/collections/*'], message: 'The encoder knows nothing of collections.' }],
  collections: [fastify, upwards, { group: ['**/encoder/*'], message: 'Collections know nothing of the encoder.' }],
  hub: [fastify, upwards, { group: ['**/encoder/*', '**/collections/*', '**/cli/*', '**/config.js'], message: 'The hub layer fetches files and knows nothing of what is in them.' }],
  routes: [{ group: ['**/app.js', '**/server.js'], message: 'Routes are imported by the app.' }]
}
const exceptions = [...new Set(Object.values(confined).flat())].map((file) => {
  const names = Object.keys(confined).filter((name) => confined[name].includes(file))
  const folder = file.split('/')[1]
  return {
    files: [file],
    rules: { 'no-restricted-imports': ['error', { paths: banned(names), patterns: layers[folder] }] }
  }
})

export default tseslint.config(
  { ignores: ['dist', '.tap', 'data', 'coverage'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      'no-console': 'error',
      eqeqeq: 'error',
      'prefer-const': 'error'
    }
  },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-imports': ['error', { paths: banned() }] } },
  ...Object.entries(layers).map(([folder, patterns]) => layer(folder, patterns)),
  ...exceptions,
  {
    files: ['test/**/*.ts', 'bench/**', 'scripts/**', 'wasm/**', 'eslint.config.js'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off', 'no-console': 'off', 'max-params': 'off' }
  }
)
