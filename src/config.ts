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
    description: 'Port to listen on; 0 selects a free port.'
  }),
  DATA_DIR: Type.String({
    default: './data',
    minLength: 1,
    description: 'Folder of the store and of kept images.'
  }),
  DATASETS_DIR: Type.String({
    default: '',
    description: 'Folder of datasets that keys with the scope admin may evaluate over HTTP; by default none.'
  }),
  MODEL: Type.String({
    default: 'mini',
    minLength: 1,
    description: 'Model package: a name under MODELS_DIR, or a folder.'
  }),
  MODELS: list(
    '',
    'Several model packages in place of MODEL, comma-separated; the first is the default of requests ' +
      'that name no model.'
  ),
  MODEL_VARIANT: Type.Enum([...VARIANTS], {
    default: 'fp32',
    description:
      `Variant of the towers to load: ${VARIANTS.join(', ')}. A model can set its own: ` + 'NAME:VARIANT.'
  }),
  MODELS_DIR: Type.String({
    default: fileURLToPath(new URL('../models', import.meta.url)),
    minLength: 1,
    description: 'Folder of model packages.'
  }),
  DEMO: Type.Boolean({ default: true, description: 'Load the emoji collection on the first start.' }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Minimum level of log messages.'
  }),
  API_KEYS: list(
    '',
    'API keys, comma-separated: read:KEY, write:KEY or admin:KEY, with keys of 16 or more characters.'
  ),
  API_KEYS_FILE: Type.String({
    default: '',
    description:
      'File of further API keys, stored as digests and managed with `semblance keys`; changes take ' +
      'effect at once.'
  }),
  RATE_LIMIT_PER_MINUTE: integer(
    0,
    [0, 1e9],
    'Requests per minute for each key, or for each address if there are no keys; 0 sets no limit. Keys ' +
      'in API_KEYS_FILE can have their own limit.'
  ),
  REFUSALS_PER_MINUTE: integer(
    60,
    [0, 1e9],
    'Requests without a valid key per minute after which an address is rejected, except with keys that ' +
      'it has used before; 0 sets no limit.'
  ),
  AUDIT_LOG: Type.String({
    default: '',
    description: 'File for the audit log, one line for each requested change, or stdout; by default none.'
  }),
  TRUST_PROXY: list(
    '',
    'Proxies whose X-Forwarded-For header is trusted, comma-separated: addresses, networks such as ' +
      '10.0.0.0/8, loopback, linklocal, uniquelocal.'
  ),
  ALLOW_ANONYMOUS: Type.Boolean({
    default: false,
    description: 'Allow requests without API keys on a HOST other than loopback.'
  }),
  ALLOWED_HOSTS: list(
    '',
    'Host names to accept in addition to localhost, IP addresses and HOST, comma-separated; * for all.'
  ),
  ALLOWED_ORIGINS: list(
    '',
    "Web origins to accept in addition to the service's own, comma-separated; * for all."
  ),
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
    description: 'Do not start unless the first of EXECUTION_PROVIDERS runs both towers.'
  }),
  GPU_DEVICE: integer(0, [0, 255], 'GPU that cuda and tensorrt use.'),
  TENSORRT_CACHE_DIR: Type.String({
    default: '',
    description: 'Folder in which tensorrt caches the engines it builds; by default none.'
  }),
  TENSORRT_WORKSPACE_MIB: integer(
    0,
    [0, 1_048_576],
    "GPU memory that tensorrt may use to build and run engines; 0 uses tensorrt's default."
  ),
  ENCODER_WORKERS: integer(
    0,
    [0, 256],
    'Workers that run the towers of each model; 0 means one per ORT_THREADS cores on the CPU, and one ' +
      'on a GPU.'
  ),
  EXPRESS_WORKER: Type.Boolean({
    default: true,
    description:
      'On the CPU, add a worker for each model that uses all cores (at most 8) for interactive ' +
      'requests while the other workers are idle or ingesting. It needs one more copy of the towers in ' +
      'memory.'
  }),
  ORT_THREADS: integer(1, [1, 256], 'ONNX Runtime threads of each worker.'),
  DECODE_WORKERS: integer(cores, [1, 256], 'Threads for each model that decode and preprocess images.'),
  IMAGE_BATCH_SIZE: integer(
    0,
    [0, 1024],
    'Maximum images in one run of the image tower; 0 is measured at the start on the CPU, and 32 on a GPU.'
  ),
  TEXT_BATCH_SIZE: integer(
    0,
    [0, 4096],
    'Maximum texts in one run of the text tower; 0 is measured at the start on the CPU, and 32 on a GPU.'
  ),
  BATCH_DELAY_MS: integer(0, [0, 1000], 'Time that a batch waits to fill while a worker is free.'),
  QUEUE_SIZE: integer(
    4096,
    [1, 1e6],
    'Images or texts that may wait before requests get 429; interactive requests and ingest are ' +
      'counted separately.'
  ),
  MAX_QUEUE_MS: integer(
    10_000,
    [0, 3_600_000],
    'Expected wait above which a search, classification or embedding request gets 429; 0 sets no limit.'
  ),
  MAX_BULK_QUEUE_MS: integer(
    60_000,
    [0, 3_600_000],
    'Expected wait above which requests that write records get 429 (bulk loads over NDJSON wait ' +
      'instead); 0 sets no limit.'
  ),
  REQUEST_TIMEOUT_MS: integer(
    0,
    [0, 3_600_000],
    'Time limit of requests that do not set X-Request-Timeout, after which they get 504; 0 sets no ' +
      'limit. Streams have no limit.'
  ),
  BODY_TIMEOUT_MS: integer(
    60_000,
    [0, 3_600_000],
    'Time that the service waits for a request body; each KiB received adds a second. 0 sets no limit.'
  ),
  MAX_CONNECTIONS: integer(
    4096,
    [1, 1_000_000],
    'Maximum open connections; further connections are closed at once.'
  ),
  SHUTDOWN_DELAY_MS: integer(
    0,
    [0, 600_000],
    'Time that the service keeps serving after SIGTERM while it reports not ready, so that load ' +
      'balancers notice.'
  ),
  DRAIN_TIMEOUT_MS: integer(
    8000,
    [0, 600_000],
    'Time that running requests may take to finish when the service shuts down; the rest are answered 503.'
  ),
  EMBEDDING_CACHE_MIB: integer(
    64,
    [0, 65_536],
    'Memory per model for cached embeddings of texts and images; 0 turns the cache off.'
  ),
  EVALUATION_CACHE_MIB: integer(
    4096,
    [0, 16_777_216],
    'Disk space per model for cached embeddings of evaluations, applied after each evaluation; the ' +
      'oldest are removed first, and 0 keeps none.'
  ),
  THUMBNAIL_CACHE_MIB: integer(
    64,
    [0, 65_536],
    'Memory for cached thumbnails of kept images; 0 turns the cache off.'
  ),
  MAX_IMAGE_MIB: integer(16, [1, 512], 'Maximum size of an image file.'),
  MAX_IMAGE_MEGAPIXELS: integer(64, [1, 1000], 'Maximum size of an image, width times height.'),
  MAX_RECORDS_BODY_MIB: integer(64, [1, 1024], 'Maximum size of a request body with records.'),
  MAX_BACKUP_MIB: integer(65_536, [1, 16_777_216], 'Maximum size of an uploaded backup.'),
  IMAGE_URLS: Type.Boolean({ default: false, description: 'Fetch images by URL.' }),
  IMAGE_URL_TIMEOUT_MS: integer(
    10_000,
    [100, 600_000],
    'Time limit for fetching an image, including redirects.'
  ),
  IMAGE_URL_REDIRECTS: integer(3, [0, 20], 'Maximum redirects to follow for an image.'),
  IMAGE_URL_CONCURRENCY: integer(32, [1, 4096], 'Maximum images to fetch at a time.'),
  IMAGE_URL_HOST_CONCURRENCY: integer(8, [1, 4096], 'Maximum images to fetch at a time from one host.'),
  IMAGE_URL_PORTS: list('80,443', 'Ports that images may be fetched from, comma-separated.'),
  IMAGE_URL_ALLOWED_HOSTS: list(
    '',
    'Hosts that images may be fetched from, comma-separated: names, addresses, or *.name for all ' +
      'subdomains of a name; by default any.'
  ),
  IMAGE_URL_DENIED_HOSTS: list('', 'Hosts that images may not be fetched from, in the same form.'),
  IMAGE_URL_PRIVATE_HOSTS: list(
    '',
    'Hosts that images may be fetched from even if their addresses are private, in the same form; ' +
      'host:port allows that port only.'
  ),
  IMAGE_URL_NAME_SERVERS: list(
    '',
    'Name servers for the hosts of images, comma-separated: addresses, with :port if it is not 53; by ' +
      "default the system's."
  )
})

export type Config = Static<typeof environmentSchema>

/** The schema of what the `models` commands read. */
export const modelsSchema = Type.Object({
  MODELS_DIR: environmentSchema.properties.MODELS_DIR,
  MODEL_VARIANT: Type.Enum([...VARIANTS], {
    default: 'fp32',
    description: 'Variant to pull if none is given.'
  }),
  HF_ENDPOINT: Type.String({
    default: 'https://huggingface.co',
    minLength: 1,
    description: 'URL of the hub or of a mirror.'
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
      `HOST ${config.HOST} accepts connections from other machines without authentication. Set ` +
        'API_KEYS or API_KEYS_FILE, set ALLOW_ANONYMOUS=true if this is intended, or set HOST=127.0.0.1.'
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
