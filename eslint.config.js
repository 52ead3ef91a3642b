import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'

/** The packages that may be imported in a few files only, with those files. */
const confined = {
  'onnxruntime-node': ['src/encoder/session.ts', 'src/evaluation/statistics/rank-pairs.ts'],
  sharp: [
    'src/encoder/decode-image.ts',
    'src/encoder/thumbnail.ts',
    'src/evaluation/run/corruptions.ts',
    'src/cli/search/terminal-pictures.ts'
  ],
  'hnswlib-node': ['src/collections/hnsw-graph.ts'],
  'better-sqlite3': [
    'src/collections/sqlite/connection.ts',
    'src/collections/backups/backup-file.ts',
    'src/fs/exclusive-lock.ts',
    'src/evaluation/embedding/kept-embeddings.ts'
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
  group: ['fastify', '@fastify/*', 'fastify-plugin', '!@fastify/error'],
  message: 'src/http is the one folder that knows Fastify.'
}
/** A rule against imports of other folders of src. */
const not = (folders, message) => ({ regex: `/(${folders.join('|')})(/|\\.js$)`, message })
const ABOVE = ['server', 'http', 'cli', 'jobs', 'records']
const upwards = not(
  ABOVE,
  'Imports run one way: server -> http -> {records, jobs} -> {encoder, collections}.'
)
const sqlite = not(['sqlite'], 'src/collections is the one folder that knows SQLite.')
/** What each folder of src may not import. */
const layers = {
  fs: [
    {
      regex: '^\\.\\./(?!errors\\.js$)',
      message: 'Writing to disks is below all others, and knows errors alone.'
    }
  ],
  threading: [
    fastify,
    not(
      [...ABOVE, 'encoder', 'collections', 'classifiers', 'evaluation', 'access', 'telemetry', 'config'],
      'Threads and queues know nothing of what they carry.'
    )
  ],
  encoder: [fastify, upwards, not(['collections'], 'The encoder knows nothing of collections.')],
  collections: [fastify, upwards, not(['encoder'], 'Collections know nothing of the encoder.')],
  records: [fastify, not(['server', 'http', 'cli', 'jobs'], 'Records are joined below HTTP and jobs.')],
  jobs: [fastify, not(['server', 'http', 'cli'], 'Jobs run below HTTP.')],
  classifiers: [fastify, not(['server', 'http', 'cli', 'jobs'], 'Classifiers are trained below HTTP.')],
  telemetry: [fastify, upwards],
  packages: [
    fastify,
    upwards,
    not(
      ['encoder', 'collections', 'hub', 'config'],
      'Layouts of packages are read by the hub and the encoder.'
    )
  ],
  hub: [
    fastify,
    upwards,
    not(
      ['encoder', 'collections', 'config'],
      'The hub fetches files and knows nothing of what is in them but the layout of packages.'
    )
  ],
  access: [
    fastify,
    upwards,
    not(['encoder', 'collections'], 'Access knows callers, and nothing of what they ask for.')
  ],
  files: [
    fastify,
    upwards,
    not(
      ['encoder', 'collections', 'evaluation'],
      'Tables and folders are read for several others, and know none of them.'
    )
  ],
  evaluation: [
    fastify,
    upwards,
    not(['config'], 'Evaluation is run by the command line and by the service, and knows neither.')
  ],
  'image-urls': [
    fastify,
    upwards,
    not(['collections'], 'The fetcher knows nothing of what becomes of the bytes.')
  ],
  client: [
    fastify,
    upwards,
    {
      group: ['../**', 'node:*'],
      message: 'The client runs in browsers too, and knows the service by its API alone.'
    }
  ],
  'http/routes': [not(['server', 'app'], 'Routes are imported by the app.')]
}
const patternsOf = (folder) => [...(layers[folder] ?? []), ...(folder === 'collections' ? [] : [sqlite])]
const layer = (folder) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: { 'no-restricted-imports': ['error', { paths: banned(), patterns: patternsOf(folder) }] }
})
const exceptions = [...new Set(Object.values(confined).flat())].map((file) => {
  const names = Object.keys(confined).filter((name) => confined[name].includes(file))
  const folder = file.split('/')[1]
  return {
    files: [file],
    rules: { 'no-restricted-imports': ['error', { paths: banned(names), patterns: patternsOf(folder) }] }
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
  {
    files: ['src/cli/**/*.ts'],
    ignores: ['serve', 'own-service-child', 'semblance', 'openapi'].map((name) => `src/cli/${name}.ts`),
    rules: {
      'no-restricted-properties': [
        'error',
        ...['stdin', 'stdout', 'stderr', 'env', 'exitCode'].map((property) => ({
          object: 'process',
          property,
          message: 'A command has host() for that.'
        }))
      ]
    }
  },
  // Compiled code, as base64.
  { files: ['src/**/*-kernel.ts'], rules: { '@stylistic/max-len': 'off' } },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: banned(), patterns: [sqlite] }] }
  },
  ...Object.keys(layers).map(layer),
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
