import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Type, type Static, type TSchema } from 'typebox'
import { environmentKeys } from './access/environment-keys.js'
import { trustedProxies } from './access/trusted-proxies.js'
import { usableCores } from './threading/cores.js'
import { hostRules, type HostLists } from './image-urls/host-rules.js'
import { createLookUp } from './image-urls/look-up.js'
import { VARIANTS } from './packages/variants.js'
import envSchema, { type JSONSchemaType } from 'env-schema'
import type { ExecutionProvider } from './encoder/execution-profile.js'

const cores = usableCores()
const PROVIDER = '(cpu|cuda|tensorrt|webgpu|coreml)'
const integer = (value: number, [minimum, maximum]: [number, number], description: string) =>
  Type.Integer({ default: value, minimum, maximum, description })
const list = (value: string, description: string) =>
  Type.Unsafe<string[]>({ type: 'string', separator: ',', default: value, description })

/** The schema of the environment; docs/reference/configuration.md is made of it (npm run reference). */
export const environmentSchema = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
  PORT: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65535,
    description: 'Port to listen on; 0 takes a free one.'
  }),
  DATA_DIR: Type.String({
    default: './data',
    minLength: 1,
    description: 'Folder of the store and the kept images.'
  }),
  DATASETS_DIR: Type.String({
    default: '',
    description:
      'Folder of datasets, each of which keys with the scope admin may have evaluated over HTTP; none ' +
      'by default.'
  }),
  MODEL: Type.String({
    default: 'mini',
    minLength: 1,
    description: 'Model package: a name under MODELS_DIR, or a folder.'
  }),
  MODELS: list(
    '',
    'Several model packages in place of MODEL, comma-separated; the first is the one that requests ' +
      'mean which name none.'
  ),
  MODEL_VARIANT: Type.Enum([...VARIANTS], {
    default: 'fp32',
    description:
      `Which files of the towers are loaded: ${VARIANTS.join(', ')}. A model may choose its ` +
      'own: NAME:VARIANT.'
  }),
  MODELS_DIR: Type.String({
    default: fileURLToPath(new URL('../models', import.meta.url)),
    minLength: 1,
    description: 'Folder of model packages.'
  }),
  DEMO: Type.Boolean({ default: true, description: 'Load the emoji collection at the first start.' }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Least level that is logged.'
  }),
  API_KEYS: list(
    '',
    'Keys that callers must show, comma-separated: read:KEY, write:KEY or admin:KEY, of 16 or more ' +
      'characters.'
  ),
  API_KEYS_FILE: Type.String({
    default: '',
    description:
      'File of more keys, as digests, which `semblance keys` looks after; changes of it take effect at once.'
  }),
  RATE_LIMIT_PER_MINUTE: integer(
    0,
    [0, 1e9],
    'Requests a minute by key, or by address where there are no keys; 0 sets no limit. A key of the ' +
      'file may have its own.'
  ),
  REFUSALS_PER_MINUTE: integer(
    60,
    [0, 1e9],
    'Requests a minute without a valid key after which an address is rejected, except with keys that it ' +
      'has used before; 0 sets no limit.'
  ),
  AUDIT_LOG: Type.String({
    default: '',
    description:
      'File to which a line is written for every change that was asked for, or stdout; none by default.'
  }),
  TRUST_PROXY: list(
    '',
    'Proxies whose X-Forwarded-For is believed, comma-separated: addresses, networks as 10.0.0.0/8, ' +
      'loopback, linklocal, uniquelocal.'
  ),
  ALLOW_ANONYMOUS: Type.Boolean({
    default: false,
    description: 'Serve everyone on a HOST other than loopback, without API_KEYS or API_KEYS_FILE.'
  }),
  ALLOWED_HOSTS: list(
    '',
    'Host names served beside localhost, IP addresses and HOST, comma-separated; * for all.'
  ),
  ALLOWED_ORIGINS: list('', 'Web origins that may call beside the own one, comma-separated; * for all.'),
  EXECUTION_PROVIDERS: Type.Unsafe<ExecutionProvider[]>({
    type: 'string',
    separator: ',',
    default: 'cpu',
    pattern: `^${PROVIDER}(,${PROVIDER})*$`,
    description:
      'Execution providers of ONNX Runtime in order of preference: tensorrt, cuda, webgpu, coreml, cpu.'
  }),
  EXECUTION_PROVIDER_STRICT: Type.Boolean({
    default: false,
    description: 'Refuse to start when the first of EXECUTION_PROVIDERS does not run both towers.'
  }),
  GPU_DEVICE: integer(0, [0, 255], 'The GPU that cuda and tensorrt use.'),
  TENSORRT_CACHE_DIR: Type.String({
    default: '',
    description: 'Folder where tensorrt keeps the engines it builds; none by default.'
  }),
  TENSORRT_WORKSPACE_MIB: integer(
    0,
    [0, 1_048_576],
    'GPU memory that tensorrt may use while it builds and runs; 0 leaves it to tensorrt.'
  ),
  ENCODER_WORKERS: integer(
    0,
    [0, 256],
    'Workers that run the towers of each model; 0 is one for each ORT_THREADS cores on the CPU, and ' +
      'one on a GPU.'
  ),
  EXPRESS_WORKER: Type.Boolean({
    default: true,
    description:
      'On the CPU one more worker for each model, with all cores (8 at most), for requests that ' +
      'someone waits for while the others are idle or ingest. It costs one more copy of the towers in ' +
      'memory.'
  }),
  ORT_THREADS: integer(1, [1, 256], 'Threads of ONNX Runtime in each worker.'),
  DECODE_WORKERS: integer(cores, [1, 256], 'Threads that decode and preprocess images for each model.'),
  IMAGE_BATCH_SIZE: integer(
    0,
    [0, 1024],
    'Images in one run of the image tower, at most; 0 is measured at the start on the CPU, and 32 on a GPU.'
  ),
  TEXT_BATCH_SIZE: integer(
    0,
    [0, 4096],
    'Texts in one run of the text tower, at most; 0 is measured at the start on the CPU, and 32 on a GPU.'
  ),
  BATCH_DELAY_MS: integer(0, [0, 1000], 'How long a batch waits to fill while a worker is free.'),
  QUEUE_SIZE: integer(
    4096,
    [1, 1e6],
    'Waiting images or texts at which a request gets 429; those that someone waits for and those of ' +
      'ingest are counted apart.'
  ),
  MAX_QUEUE_MS: integer(
    10_000,
    [0, 3_600_000],
    'Expected wait at which a search, classification or embedding gets 429; 0 sets no bound.'
  ),
  MAX_BULK_QUEUE_MS: integer(
    60_000,
    [0, 3_600_000],
    'Expected wait at which records get 429 (bulk loads over NDJSON wait instead); 0 sets no bound.'
  ),
  REQUEST_TIMEOUT_MS: integer(
    0,
    [0, 3_600_000],
    'Time for requests that set none by X-Request-Timeout, after which they get 504; 0 is none. ' +
      'Streams have none.'
  ),
  BODY_TIMEOUT_MS: integer(
    60_000,
    [0, 3_600_000],
    'How long a request may keep the service waiting for its body; each KiB that comes gives a second ' +
      'back. 0 sets no bound.'
  ),
  MAX_CONNECTIONS: integer(4096, [1, 1_000_000], 'Open connections, at most; more are closed at once.'),
  SHUTDOWN_DELAY_MS: integer(
    0,
    [0, 600_000],
    'How long the service goes on serving after SIGTERM, not ready any more, so that load balancers see it.'
  ),
  DRAIN_TIMEOUT_MS: integer(
    8000,
    [0, 600_000],
    'How long requests under way may take to end once the service closes; what is left is answered 503.'
  ),
  EMBEDDING_CACHE_MIB: integer(
    64,
    [0, 65_536],
    'Memory, for each model, for embeddings of texts and images seen before; 0 turns it off.'
  ),
  EVALUATION_CACHE_MIB: integer(
    4096,
    [0, 16_777_216],
    'Room on disk, for each model, for embeddings of what was evaluated, once an evaluation is done; ' +
      'the oldest go first, and 0 keeps none.'
  ),
  THUMBNAIL_CACHE_MIB: integer(
    64,
    [0, 65_536],
    'Memory for thumbnails that were made of kept images on demand; 0 turns it off.'
  ),
  MAX_IMAGE_MIB: integer(16, [1, 512], 'Largest image file.'),
  MAX_IMAGE_MEGAPIXELS: integer(64, [1, 1000], 'Largest image, width times height.'),
  MAX_RECORDS_BODY_MIB: integer(64, [1, 1024], 'Largest body on records.'),
  MAX_BACKUP_MIB: integer(65_536, [1, 16_777_216], 'Largest backup that may be sent to be restored.'),
  IMAGE_URLS: Type.Boolean({ default: false, description: 'Fetch images that are named by url.' }),
  IMAGE_URL_TIMEOUT_MS: integer(
    10_000,
    [100, 600_000],
    'How long fetching an image may take, its redirects included.'
  ),
  IMAGE_URL_REDIRECTS: integer(3, [0, 20], 'Redirects that are followed for an image.'),
  IMAGE_URL_CONCURRENCY: integer(32, [1, 4096], 'Images that are fetched at a time.'),
  IMAGE_URL_HOST_CONCURRENCY: integer(8, [1, 4096], 'Images that are fetched from one host at a time.'),
  IMAGE_URL_PORTS: list('80,443', 'Ports that images are fetched from, comma-separated.'),
  IMAGE_URL_ALLOWED_HOSTS: list(
    '',
    'The only hosts that images are fetched from, comma-separated: names, addresses, or *.name for all ' +
      'below a name; any, by default.'
  ),
  IMAGE_URL_DENIED_HOSTS: list('', 'Hosts that images are never fetched from, written alike.'),
  IMAGE_URL_PRIVATE_HOSTS: list(
    '',
    'Hosts that images are fetched from though their addresses are private, written alike; host:port ' +
      'for that port alone.'
  ),
  IMAGE_URL_NAME_SERVERS: list(
    '',
    'Name servers that hosts of images are looked up at, comma-separated: addresses, with :port if it ' +
      "is not 53; the system's by default."
  )
})

export type Config = Static<typeof environmentSchema>

/** The schema of what the `models` commands read. */
export const modelsSchema = Type.Object({
  MODELS_DIR: environmentSchema.properties.MODELS_DIR,
  MODEL_VARIANT: Type.Enum([...VARIANTS], {
    default: 'fp32',
    description: 'Variant that is pulled where none is named.'
  }),
  HF_ENDPOINT: Type.String({
    default: 'https://huggingface.co',
    minLength: 1,
    description: 'Hub, or a mirror of it.'
  }),
  HF_TOKEN: Type.String({ default: '', description: 'Token for gated and private repositories.' })
})

export type ModelsConfig = Static<typeof modelsSchema>

/** The schema of what the `keys` commands read. */
const keysSchema = Type.Object({ API_KEYS_FILE: environmentSchema.properties.API_KEYS_FILE })

/** Bytes in a MiB. */
export const MIB = 2 ** 20

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * Reads the configuration from the environment and a `.env` file, checked, with defaults. Throws one Error
 * that lists every mistake.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const config = read<Config>(environmentSchema, env)
  environmentKeys(config.API_KEYS)
  trustedProxies(config.TRUST_PROXY)
  hostRules(imageUrlHosts(config))
  createLookUp(config.IMAGE_URL_NAME_SERVERS)
  if (
    !isLoopback(config.HOST) &&
    config.API_KEYS.length === 0 &&
    !config.API_KEYS_FILE &&
    !config.ALLOW_ANONYMOUS
  ) {
    throw new Error(
      `HOST ${config.HOST} lets other machines in, and nothing asks them who they are: set API_KEYS or ` +
        'API_KEYS_FILE, or ALLOW_ANONYMOUS=true if that is meant, or HOST=127.0.0.1.'
    )
  }
  return config
}

/** The lists by which images are fetched by url. */
export function imageUrlHosts(config: Config): HostLists {
  return {
    allowed: config.IMAGE_URL_ALLOWED_HOSTS,
    denied: config.IMAGE_URL_DENIED_HOSTS,
    private: config.IMAGE_URL_PRIVATE_HOSTS,
    ports: config.IMAGE_URL_PORTS
  }
}

/** As `readConfig`, of what the `models` commands need: they run where serving is not configured. */
export function readModelsConfig(env: NodeJS.ProcessEnv = process.env): ModelsConfig {
  return read<ModelsConfig>(modelsSchema, env)
}

/** As `readConfig`, of what the `keys` commands need. */
export function readKeysConfig(env: NodeJS.ProcessEnv = process.env): Static<typeof keysSchema> {
  return read<Static<typeof keysSchema>>(keysSchema, env)
}

function read<T>(schema: TSchema, env: NodeJS.ProcessEnv): T {
  return envSchema<T>({
    schema: schema as unknown as JSONSchemaType<T>,
    data: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')),
    env: false,
    dotenv: true
  })
}
