import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'

/** The packages that may be imported in a few files only, with those files. */
const confined = {
  'onnxruntime-node': ['src/encoder/session.ts', 'src/evaluation/statistics/dot-products.ts'],
  sharp: [
    'src/encoder/decode-image.ts',
    'src/encoder/thumbnail.ts',
    'src/evaluation/run/corruptions.ts',
    'src/cli/searching/terminal-pictures.ts'
  ],
  'hnswlib-node': ['src/collections/hnsw-graph.ts'],
  'better-sqlite3': [
    'src/collections/store/connection.ts',
    'src/collections/backups/backup-file.ts',
    'src/hub/exclusive-lock.ts',
    'src/evaluation/embedding/embedding-file.ts'
  ],
  undici: [
    'src/hub/hub.ts',
    'src/hub/request.ts',
    'src/hub/status-error.ts',
    'src/hub/download.ts',
    'src/cli/connect.ts',
    'src/image-urls/guarded-agent.ts',
    'src/image-urls/image-fetcher.ts',
    'src/image-urls/receive.ts'
  ]
}
const banned = (except = []) =>
  Object.keys(confined)
    .filter((name) => !except.includes(name))
    .map((name) => ({ name, message: `${name} is imported in ${confined[name].join(', ')} only.` }))

const fastify = {
  group: ['fastify', '@fastify/*', '!@fastify/error'],
  message: 'This folder knows nothing of HTTP.'
}
const upwards = {
  group: ['**/app.js', '**/server.js', '**/routes/*', '**/ingest.js', '**/demo.js'],
  message: 'Imports run one way: server -> app -> routes -> {encoder, collections} -> errors.'
}
const layer = (folder, patterns) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { paths: banned(), patterns }] }
})
const layers = {
  encoder: [
    fastify,
    upwards,
    { group: ['**/collections/*'], message: 'The encoder knows nothing of collections.' }
  ],
  collections: [
    fastify,
    upwards,
    { group: ['**/encoder/*'], message: 'Collections know nothing of the encoder.' }
  ],
  hub: [
    fastify,
    upwards,
    {
      group: ['**/encoder/*', '**/collections/*', '**/cli/*', '**/config.js'],
      message: 'The hub layer fetches files and knows nothing of what is in them.'
    }
  ],
  access: [
    {
      group: ['**/app.js', '**/server.js', '**/routes/*', '**/encoder/*', '**/collections/*'],
      message: 'Access knows of callers, and nothing of what they ask for.'
    }
  ],
  files: [
    fastify,
    upwards,
    {
      group: ['**/encoder/*', '**/collections/*', '**/cli/*', '**/evaluation/*'],
      message: 'Tables and folders are read for several, and know of none of them.'
    }
  ],
  evaluation: [
    fastify,
    upwards,
    {
      group: ['**/cli/*', '**/config.js'],
      message: 'Evaluation is run by the command line and by the service, and knows of neither.'
    }
  ],
  'image-urls': [
    fastify,
    upwards,
    {
      group: ['**/collections/*', '**/config.js'],
      message: 'The fetcher brings bytes and knows nothing of what becomes of them.'
    }
  ],
  client: [
    fastify,
    upwards,
    {
      group: ['../**', 'node:*'],
      message: 'The client runs in browsers too, and knows of the service by its API alone.'
    }
  ],
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
  { ignores: ['dist', '.tap', 'data', 'coverage', 'src/client/api.ts'] },
  ...tseslint.configs.recommended,
  {
    plugins: { '@stylistic': stylistic },
    rules: {
      '@stylistic/max-len': ['error', { code: 110, tabWidth: 2, ignoreUrls: true }],
      complexity: ['error', 24],
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', { max: 110, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      'no-console': 'error',
      eqeqeq: 'error',
      'prefer-const': 'error'
    }
  },
  // Compiled code, as base64.
  { files: ['src/**/*-kernel.ts'], rules: { '@stylistic/max-len': 'off' } },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-imports': ['error', { paths: banned() }] } },
  ...Object.entries(layers).map(([folder, patterns]) => layer(folder, patterns)),
  ...exceptions,
  {
    files: ['web/src/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/src/(?!client/|http/docs/code-samples/)',
              message: 'The gallery knows of the service by its client alone, and of its samples of code.'
            }
          ]
        }
      ]
    }
  },
  {
    files: [
      'test/**/*.ts',
      'test/fixtures/**',
      'bench/**',
      'examples/**',
      'scripts/**',
      'wasm/**',
      'eslint.config.js'
    ],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off', 'no-console': 'off', 'max-params': 'off' }
  }
)
