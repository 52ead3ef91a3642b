// Writes docs/reference from the code: npm run reference. A test compares the pages with what this makes.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import { parse } from 'yaml'
import { createProgram } from '../dist/cli/program.js'
import { environmentSchema, modelsSchema } from '../dist/config.js'
import * as errors from '../dist/errors.js'
import { createMetrics } from '../dist/telemetry/metrics.js'

const root = new URL('..', import.meta.url)
const NOTE = '<!-- Made of the code by `npm run reference`. -->'

/** The pages of the reference: what is in each file of docs/reference. */
export async function referencePages() {
  return {
    'configuration.md': configuration(),
    'errors.md': errorCodes(),
    'command-line.md': commandLine(),
    'api.md': await operations(),
    'metrics.md': metrics()
  }
}

function page(title, ...parts) {
  return `${[`# ${title}`, NOTE, ...parts].join('\n\n')}\n`
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll(/[|<]/g, '\\$&')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

// What depends on the machine is described, not printed.
const MACHINE = { MODELS_DIR: "the package's `models`", DECODE_WORKERS: 'cores' }

function settings({ properties }) {
  return table(
    ['name', 'default', 'from, to', 'what'],
    Object.entries(properties).map(([name, { default: value, minimum, maximum, description }]) => [
      `\`${name}\``,
      MACHINE[name] ?? (value === '' ? '' : `\`${value}\``),
      minimum === undefined ? '' : `${minimum}, ${maximum}`,
      description
    ])
  )
}

function configuration() {
  return page(
    'Configuration',
    'From the environment, or a `.env` file in the working directory. All mistakes are reported at ' +
      'once, at the start. Lists are\nseparated by commas; a setting that is empty counts as not set.',
    '## The service',
    settings(environmentSchema),
    '## The commands that look after models',
    settings(modelsSchema),
    'The commands that speak to a service take `SEMBLANCE_URL` and `SEMBLANCE_API_KEY`: ' +
      "[command-line.md](command-line.md). Traces are\nconfigured by OpenTelemetry's own variables: " +
      '[operations.md](../operations.md#traces).'
  )
}

function errorCodes() {
  const all = Object.values(errors)
    .filter((value) => value.prototype instanceof Error)
    .map((Failure) => new Failure())
    .sort((a, b) => a.statusCode - b.statusCode || (a.code < b.code ? -1 : 1))
    .map(({ code, statusCode, message }) => [statusCode, `\`${code}\``, message.replaceAll('%s', '…')])
  return page(
    'Errors',
    'Every error is `{"error": {"code", "message", "request_id"}}` with the status below; codes are ' +
      'stable, messages are for people.\nIn a message `…` stands for what is said of the case. ' +
      '[api.md](../api.md#errors) says what to do about them.',
    table(['status', 'code', 'message'], all)
  )
}

/** A command and those below it, as their help says. */
function commands(command, parents = []) {
  const words = [...parents, command.name()]
  const output = []
  command
    .configureHelp({ helpWidth: 100 })
    .configureOutput({ writeOut: (text) => output.push(text), getOutHasColors: () => false })
  command.outputHelp()
  const text = output.join('').trimEnd().replaceAll(fileURLToPath(root).replace(/\/$/, ''), '…')
  return [{ words, text }, ...command.commands.flatMap((below) => commands(below, words))]
}

function commandLine() {
  return page(
    'Command line',
    'In a checkout `npx semblance`, in the container `node dist/cli/semblance.js`.',
    ...commands(createProgram()).flatMap(({ words, text }) => [
      `## ${words.join(' ')}`,
      `\`\`\`text\n${text}\n\`\`\``
    ])
  )
}

async function operations() {
  const { paths, tags } = parse(await readFile(new URL('openapi.yaml', root), 'utf8'))
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      ...operation
    }))
  )
  const groups = [
    ...new Set([...tags.map(({ name }) => name), ...all.flatMap((operation) => operation.tags)])
  ]
  return page(
    'API operations',
    "Bodies, parameters and examples are in [openapi.yaml](../../openapi.yaml) and on the service's " +
      'page `/docs`; [api.md](../api.md) shows\nhow the calls go together.',
    ...groups.flatMap((group) => {
      const rows = all
        .filter((operation) => operation.tags.includes(group))
        .map(({ method, path, summary, operationId }) => [
          `\`${method} ${path}\``,
          summary,
          `\`${operationId}\``
        ])
      return rows.length > 0 ? [`## ${group}`, table(['call', 'what', 'operation'], rows)] : []
    })
  )
}

function metrics() {
  const made = []
  const register = Registry.prototype.registerMetric
  // The registry of a service is its own; what enters it is noted on the way.
  Registry.prototype.registerMetric = function (metric) {
    made.push(metric)
    return register.call(this, metric)
  }
  try {
    createMetrics({ encoders: { all: [] }, collections: {}, keys: {} })
  } finally {
    Registry.prototype.registerMetric = register
  }
  const own = made
    .filter(({ name }) => name.startsWith('semblance_'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return page(
    'Metrics',
    "`GET /metrics` answers in Prometheus' text format; durations are in seconds. Beside these are " +
      '`process_*` and `nodejs_*` of the\nHTTP thread. [operations.md](../operations.md#watching) says ' +
      'what to watch.',
    table(
      ['metric', 'type', 'labels', 'what'],
      own.map((metric) => [
        `\`${metric.name}\``,
        metric.constructor.name.toLowerCase(),
        metric.labelNames.map((label) => `\`${label}\``).join(', '),
        metric.help
      ])
    )
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('docs/reference/', root)
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(await referencePages()))
    await writeFile(new URL(name, folder), text)
}
