import { EncoderFailed } from '../errors.js'
import { openAllOrClose } from '../threading/open-all-or-close.js'
import { normalise, type Embedding } from './embedding.js'
import { executionOf, type Execution } from './execution-profile.js'
import type { ModelPackage } from './model-package.js'
import { openSession, type Port, type Session, type SessionSettings, type Values } from './session.js'
import { integers, pixelValues, toFloat32 } from './tensors.js'

/** One ONNX graph with its inputs made from what the encoder hands over. Runs block the calling thread. */
interface Tower {
  /** What ran it so far; called once, after a warm-up. */
  execution(): Promise<Execution>
  release(): Promise<void>
}

export interface ImageTower extends Tower {
  /** 8-bit RGB crops of the package's size to L2-normalised embeddings. */
  run(crops: Uint8Array[]): Promise<Embedding[]>
}

export interface TextTower extends Tower {
  /** Token ids to L2-normalised embeddings. */
  run(sequences: Int32Array[], padding: Padding): Promise<Embedding[]>
  /** Longest sequence in tokens. */
  maxTokens: number
}

export interface Padding {
  /** The id of the padding token. */
  id: number
  /** Whether sequences are padded to the longest possible, or to the longest of their batch. */
  toMax: boolean
}

/** The names that exports give what is embedded, best first. */
const OUTPUTS = [
  'image_embeds',
  'text_embeds',
  'pooler_output',
  'embedding',
  'sentence_embedding',
  'image_features',
  'text_features'
]

/** Opens both towers of a package. Throws when one can't be opened, having release the other. */
export async function openTowers(
  model: ModelPackage,
  settings: SessionSettings
): Promise<[ImageTower, TextTower]> {
  return openAllOrClose<[ImageTower, TextTower]>(
    [openImageTower(model, settings), openTextTower(model, settings)],
    (tower) => tower.release()
  )
}

/**
 * Opens the image tower of a package. Throws when it can't be opened, or asks for inputs that are not known.
 */
export async function openImageTower(model: ModelPackage, settings: SessionSettings): Promise<ImageTower> {
  const session = await openSession(model.towers.image, settings)
  const [input, ...others] = session.inputs
  if (!input || others.length > 0)
    throw new Error(
      `The image tower has the inputs ${session.inputs.map(({ name }) => name).join(', ')}; it must ` +
        'have pixel_values only.'
    )
  return {
    run: (crops) =>
      inChunks(session, crops, (part, rows) => ({
        [input.name]: pixelValues(part, input, { rows, preprocessing: model.preprocessing })
      })),
    ...rest(session)
  }
}

/** Opens the text tower of a package. Throws when it can't be opened. */
export async function openTextTower(model: ModelPackage, settings: SessionSettings): Promise<TextTower> {
  const session = await openSession(model.towers.text, settings)
  const ids = session.inputs.find(({ name }) => /^(input_ids|text|input)$/.test(name)) ?? session.inputs[0]
  const fixedLength = typeof ids.shape[1] === 'number' ? ids.shape[1] : undefined
  const maxTokens = Math.min(model.text.maxTokens, fixedLength ?? Infinity)
  const lengthOf = (sequences: Int32Array[], toMax: boolean) =>
    fixedLength ?? (toMax ? maxTokens : Math.max(...sequences.map(({ length }) => length)))
  return {
    maxTokens,
    run: (sequences, { id: padId, toMax }) => {
      const length = lengthOf(sequences, toMax)
      return inChunks(session, sequences, (part, rows) =>
        textInputs(session.inputs, ids, { sequences: part, padId, shape: [rows, length] })
      )
    },
    ...rest(session)
  }
}

function rest(session: Session): Tower {
  return { execution: async () => executionOf(await session.endProfile()), release: () => session.release() }
}

/**
 * The inputs of a text tower of shape `[rows, length]`: ids, and where it asks for them a mask and the types
 * of tokens.
 */
function textInputs(
  inputs: Port[],
  ids: Port,
  { sequences, padId, shape }: { sequences: Int32Array[]; padId: number; shape: [number, number] }
): Record<string, Values> {
  const [rows, length] = shape
  const padded = new Int32Array(rows * length).fill(padId)
  const mask = new Int32Array(rows * length)
  sequences.forEach((sequence, i) => {
    padded.set(sequence, i * length)
    mask.fill(1, i * length, i * length + sequence.length)
  })
  // A row of nothing but padding would have a mean over no tokens.
  for (let row = sequences.length; row < rows; row++) mask[row * length] = 1
  const known: Record<string, Int32Array> = {
    attention_mask: mask,
    token_type_ids: new Int32Array(rows * length),
    [ids.name]: padded
  }
  const missing = inputs.filter(({ name }) => !(name in known))
  if (missing.length > 0)
    throw new Error(`The text tower has unknown inputs: ${missing.map(({ name }) => name).join(', ')}.`)
  return Object.fromEntries(inputs.map((input) => [input.name, integers(known[input.name], input, shape)]))
}

/** Runs a graph over any number of inputs: at once, or as many rows at a time as it insists on. */
async function inChunks<Input>(
  session: Session,
  inputs: Input[],
  makeInputs: (part: Input[], rows: number) => Record<string, Values>
): Promise<Embedding[]> {
  const axis = session.inputs[0].shape[0]
  const rows = typeof axis === 'number' ? axis : inputs.length
  const output = outputOf(session)
  const embeddings: Embedding[] = []
  for (let start = 0; start < inputs.length; start += rows) {
    const part = inputs.slice(start, start + rows)
    const outputs = await session.run(makeInputs(part, rows))
    embeddings.push(...toEmbeddings(outputs[output], part.length))
  }
  return embeddings
}

function outputOf({ outputs }: Session): string {
  const names = outputs.map(({ name }) => name)
  const flat = outputs.filter(({ shape }) => shape.length === 2)
  const name =
    OUTPUTS.find((candidate) => names.includes(candidate)) ?? (flat.length === 1 ? flat[0].name : undefined)
  if (name) return name
  throw new Error(`The tower must have one of the outputs ${OUTPUTS.join(', ')}; it has ${names.join(', ')}.`)
}

/**
 * The first rows of an output of shape `[rows, dimension]`, normalised. Throws ENCODER_FAILED for one that is
 * not finite.
 */
function toEmbeddings(output: Awaited<ReturnType<Session['run']>>[string], count: number): Embedding[] {
  const values = toFloat32(output)
  const dimension = output.shape[1]
  return Array.from({ length: count }, (_, row) => {
    const embedding = normalise(values.slice(row * dimension, (row + 1) * dimension))
    // Towers of few bits overflow on some inputs; such a vector would spoil every search it met.
    if (!embedding.every(Number.isFinite)) throw new EncoderFailed()
    return embedding
  })
}
