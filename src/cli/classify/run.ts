import { readFile, stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { SemblanceError } from '../../client/semblance-error.js'
import { EXIT, UsageError } from '../exit-codes.js'
import type { Source } from '../index/item.js'
import { openSource } from '../index/open-source.js'
import { decodeText } from '../../files/utf8.js'
import { printable } from '../../terminal/printable.js'
import { host } from '../host.js'
import type { Service, ServiceOptions } from '../service.js'
import { table } from '../../terminal/table.js'

/** The options of `semblance classify`. */
export interface ClassifyOptions extends ServiceOptions {
  labels?: string[]
  labelsFile?: string
  template?: string[]
  multiLabel?: boolean
  classifier?: string
  top: number
  model?: string
  json?: boolean
}

type Options = ClassifyOptions & { signal: AbortSignal }

interface Classified {
  file: string
  labels?: { label: string; score: number; similarity?: number }[]
  error?: { code: string; message: string }
}

/** Images that are asked about at a time. */
const AT_A_TIME = 4

type Image = { file: string } | { file: string; fault: string }

/** What is to be classified, by which labels; none for a trained classifier. */
export interface Plan {
  labels: string[]
  images: (Image | Source)[]
}

/**
 * Makes out what is named, before there is a service for it. Throws a UsageError without labels, and where
 * nothing is there.
 */
export async function planClassify(names: string[], options: ClassifyOptions): Promise<Plan> {
  const labels = await labelsOf(options)
  const images = await Promise.all(names.map(imagesOf))
  const faults = images.flatMap((found) => ('fault' in found ? [found.fault] : []))
  if (faults.length === images.length) throw new UsageError(faults.join(' '))
  return { labels, images }
}

/**
 * Classifies images, and prints their labels in the order of the images. Those that fail leave the others be.
 */
export async function runClassify(
  service: Service,
  { labels, images }: Plan,
  options: Options
): Promise<void> {
  const rows: Classified[] = []
  let failed = 0
  for await (const classified of inOrder(imageFiles(images), (found) =>
    classify(service, found, { ...options, labels })
  )) {
    if (classified.error) {
      failed++
      const { code, message } = classified.error
      host().stderr.write(`${printable(`semblance: ${classified.file}: ${code}: ${message}`)}\n`)
    }
    if (options.json) host().stdout.write(`${JSON.stringify(classified)}\n`)
    else if (classified.labels) rows.push(classified)
  }
  if (!options.json && rows.length > 0)
    host().stdout.write(table([['FILE', 'SCORE', 'LABEL'], ...rows.flatMap(lines)]))
  if (rows.length === 0 && failed === 0 && !options.json) throw new Error('No image was found there.')
  if (failed > 0) host().exitCode = EXIT.failed
}

async function labelsOf({
  labels = [],
  labelsFile,
  template,
  multiLabel,
  model,
  classifier
}: ClassifyOptions): Promise<string[]> {
  if (classifier !== undefined) {
    if (labels.length > 0 || [labelsFile, template, multiLabel, model].some((option) => option !== undefined))
      throw new UsageError(
        "--classifier can't be combined with --labels, --labels-file, --template or --model: a trained " +
          'classifier has its own labels and model.'
      )
    return []
  }
  const fromFile = labelsFile === undefined ? [] : (await readText(labelsFile)).split(/\r?\n/)
  const all = [...labels, ...fromFile].map((label) => label.trim()).filter((label) => label !== '')
  if (all.length === 0)
    throw new UsageError(
      'Labels are missing: use --labels cat,dog, --labels-file, or a trained --classifier.'
    )
  return all
}

async function readText(file: string): Promise<string> {
  try {
    return decodeText(await readFile(file))
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** What a name stands for; one that stands for nothing leaves the others be. */
async function imagesOf(name: string): Promise<Image | Source> {
  if ((await stat(name).catch(() => undefined))?.isFile()) return { file: name }
  try {
    const source = await openSource([name], { prefix: '', captions: false, onPassedOver: () => undefined })
    return 'lines' in source
      ? { file: name, fault: "'-' is not supported here; name images or folders." }
      : source
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { file: name, fault: error.message }
  }
}

async function* imageFiles(images: Plan['images']): AsyncGenerator<Image> {
  for (const image of images) {
    if (!('items' in image)) {
      yield image
      continue
    }
    for await (const found of image.items) {
      if ('reason' in found) yield { file: found.name, fault: found.reason }
      else if (found.path !== undefined) yield { file: relative(process.cwd(), found.path) || found.path }
    }
  }
}

async function classify(
  service: Service,
  image: Image,
  options: Options & { labels: string[] }
): Promise<Classified> {
  const { file } = image
  if ('fault' in image) return { file, error: { code: 'FILE', message: image.fault } }
  try {
    return { file, labels: await ask(service, await readFile(file, 'base64'), options) }
  } catch (error) {
    // Of one image are what can't be read here, and what the service says of its bytes; all else holds for
    // every image.
    if (error instanceof SemblanceError && (error.code.startsWith('IMAGE_') || error.status === 413))
      return { file, error: { code: error.code, message: error.message } }
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && (/^E[A-Z0-9]+$/.test(code) || code === 'ERR_FS_FILE_TOO_LARGE'))
      return { file, error: { code, message: (error as Error).message } }
    throw error
  }
}

async function ask(
  { api }: Service,
  base64: string,
  { labels, template, multiLabel, top, model, classifier, signal }: Options & { labels: string[] }
): Promise<Classified['labels']> {
  if (classifier !== undefined)
    return (
      await api.post('/v1/classifiers/{classifier}/classify', {
        params: { path: { classifier } },
        body: { image: { base64 }, top_k: Math.min(top, 1000) },
        signal
      })
    ).labels
  const templates = template?.length === 1 && !template[0].includes('{label}') ? template[0] : template
  const body = {
    image: { base64 },
    labels,
    top_k: Math.min(top, labels.length),
    ...(templates && { templates }),
    ...(multiLabel && { multi_label: true }),
    ...(model !== undefined && { model })
  }
  return (await api.post('/v1/zero-shot', { body, signal })).labels
}

/** What becomes of each, in their order, some at a time. */
async function* inOrder<T, R>(things: AsyncIterable<T>, work: (thing: T) => Promise<R>): AsyncGenerator<R> {
  const underWay: Promise<R>[] = []
  for await (const thing of things) {
    const result = work(thing)
    // It is looked at in its turn.
    result.catch(() => undefined)
    underWay.push(result)
    if (underWay.length === AT_A_TIME) yield await underWay.shift()!
  }
  for (const result of underWay) yield await result
}

function lines({ file, labels = [] }: Classified): string[][] {
  return labels.map(({ label, score }, i) => [i === 0 ? file : '', score.toFixed(4), label])
}
