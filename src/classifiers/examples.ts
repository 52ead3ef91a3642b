import type { CallOptions } from '../threading/call-options.js'
import type { Collection } from '../collections/collection.js'
import type { Filter } from '../collections/filter.js'
import { labelIn } from '../collections/label.js'
import type { Modality, StoredRecord } from '../collections/record.js'
import type { Encoder } from '../encoder/encoder.js'
import { ExamplesInvalid, fromErrorShape, toErrorShape } from '../errors.js'
import { random } from '../evaluation/statistics/statistics.js'
import { stopsAll } from '../records/ingest.js'
import type { JsonText } from '../json/json-text.js'
import { createYielder } from '../threading/yield-to-event-loop.js'
import type { Input } from './features.js'
import type { EncodeOptions } from '../encoder/encode-options.js'

/** An input and what it is an example of. */
export interface Example {
  label: string
  input: Input
}

export interface SentExample {
  label: string
  image?: Uint8Array
  text?: string
}

/** Examples that are encoded, or whose embeddings are read, at a time. */
const AT_A_TIME = 64
const PAGE = 1000
const MAX_EXAMPLES = 100_000

/** Encodes examples in the bulk lane, waiting for room in it. An error of one names it by its place. */
export async function encodeExamples(
  encoder: Encoder,
  examples: SentExample[],
  options: EncodeOptions
): Promise<Example[]> {
  const encoded: Example[] = []
  for (let from = 0; from < examples.length; from += AT_A_TIME) {
    await encoder.waitForCapacity(options)
    const part = examples.slice(from, from + AT_A_TIME)
    encoded.push(
      ...(await Promise.all(
        part.map((example, i) =>
          encodeExample(encoder, example, options).catch((error) => Promise.reject(named(error, from + i)))
        )
      ))
    )
  }
  return encoded
}

async function encodeExample(
  encoder: Encoder,
  { label, image, text }: SentExample,
  options: EncodeOptions
): Promise<Example> {
  const [imageEmbedding, textEmbedding] = await Promise.all([
    image && encoder.encodeImage(image, options),
    text === undefined ? undefined : encoder.encodeText(text, options)
  ])
  return {
    label,
    input: { ...(imageEmbedding && { image: imageEmbedding }), ...(textEmbedding && { text: textEmbedding }) }
  }
}

/** An error about one example says which; those about the request or the service stay as they are. */
export function named(error: unknown, place: number): unknown {
  if (stopsAll(error)) return error
  const { message, ...shape } = toErrorShape(error)
  return fromErrorShape({ ...shape, message: `examples[${place}]: ${message}` })
}

export interface CollectOptions {
  /** The field of the metadata that holds the label; `a.b` is a field of an object. */
  field: string
  filter?: Filter
  /** Of the embeddings which are taken. */
  modalities: Modality[]
  /** Examples of each label, at most. */
  perClass?: number
  seed: number
}

/**
 * Examples by the records of a collection that hold a label and one of the modalities. Throws
 * EXAMPLES_INVALID for too many, or none.
 */
export async function collectExamples(
  collection: Collection,
  options: CollectOptions,
  callOptions: CallOptions
): Promise<Example[]> {
  const chosen = await labelledRecords(collection, options, callOptions)
  if (chosen.length === 0)
    throw new ExamplesInvalid(
      `No record of collection '${collection.settings.name}' has both a single value in the metadata ` +
        `field '${options.field}' and an embedding of ` +
        `${options.modalities.join(' or ')}${options.filter ? ', among those that pass the filter' : ''}.`
    )
  const examples: Example[] = []
  for (let from = 0; from < chosen.length; from += AT_A_TIME) {
    const part = await Promise.all(
      chosen
        .slice(from, from + AT_A_TIME)
        .map(async ({ id, label }) => ({ label, embeddings: await collection.embeddings(id, callOptions) }))
    )
    for (const { label, embeddings } of part) {
      const input = Object.fromEntries(
        options.modalities.flatMap((modality) =>
          embeddings[modality] ? [[modality, embeddings[modality]]] : []
        )
      )
      // Removed meanwhile, otherwise.
      if (Object.keys(input).length > 0) examples.push({ label, input })
    }
  }
  return examples
}

/**
 * Up to `perClass` records of each label, each with the same chance (algorithm R, Vitter 1985). What is kept
 * is counted as it comes. Throws EXAMPLES_INVALID for too many.
 */
async function labelledRecords(
  collection: Collection,
  { field, filter, modalities, perClass = Infinity, seed }: CollectOptions,
  callOptions: CallOptions
): Promise<Labelled[]> {
  const byLabel = new Map<string, { seen: number; kept: Labelled[] }>()
  const { uniform } = random(seed)
  const yieldToEventLoop = createYielder()
  let count = 0
  for (let after: string | undefined; ;) {
    const page: StoredRecord<JsonText>[] = await collection.list({ limit: PAGE, after, filter }, callOptions)
    for (const { id, metadata, modalities: held } of page) {
      await yieldToEventLoop()
      const label = metadata ? labelIn(metadata.parse(), field) : undefined
      if (label === undefined || !held.some((modality) => modalities.includes(modality))) continue
      const ofLabel = byLabel.get(label) ?? { seen: 0, kept: [] }
      byLabel.set(label, ofLabel)
      const place =
        ofLabel.kept.length < perClass ? ofLabel.kept.length : Math.floor(uniform() * (ofLabel.seen + 1))
      ofLabel.seen++
      if (place >= perClass) continue
      if (place === ofLabel.kept.length && ++count > MAX_EXAMPLES)
        throw new ExamplesInvalid(
          `More than ${MAX_EXAMPLES} records are examples, which is the limit; set per_class or a filter.`
        )
      ofLabel.kept[place] = { id, label }
    }
    if (page.length < PAGE) return [...byLabel.values()].flatMap(({ kept }) => kept)
    after = page.at(-1)!.id
  }
}

interface Labelled {
  id: string
  label: string
}
