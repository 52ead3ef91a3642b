import { isUtf8 } from 'node:buffer'
import { ImageInvalid, InvalidRequest } from '../errors.js'
import { createYielder } from '../threading/yield-to-event-loop.js'
import { Base64Decoder } from './base64.js'
import { JsonScan, type Cut, type JsonLimits, type Step } from './scan.js'

const [QUOTE, BACKSLASH] = [0x22, 0x5c]
/** Bytes of a string that are parsed at a time. */
const PIECE = 1 << 19
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => Number(/[0-9a-f]/i.test(String.fromCharCode(byte))))

/**
 * Stands in a parsed body for a metadata or an image that can't be used, so that what it came with still can.
 */
export class Unusable {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/**
 * Parses JSON once its bytes are within the limits. Throws what the scan does, and INVALID_REQUEST for what
 * is not JSON in UTF-8.
 */
export function parseJson(bytes: Buffer, limits: JsonLimits): unknown {
  const steps = parsing(bytes, limits)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** As `parseJson`, but yields to the event loop: long values are parsed one by one. */
export async function parseJsonInTurns(bytes: Buffer, limits: JsonLimits): Promise<unknown> {
  const yieldToEventLoop = createYielder()
  const steps = parsing(bytes, limits)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await yieldToEventLoop()
  }
}

function* parsing(sent: Buffer, limits: JsonLimits): Generator<void, unknown> {
  const bytes = sent[0] === 0xef && sent[1] === 0xbb && sent[2] === 0xbf ? sent.subarray(3) : sent
  if (sent[0] === 0x1f && sent[1] === 0x8b)
    throw new InvalidRequest(`${limits.name} is compressed with gzip; send it uncompressed.`)
  if (!isUtf8(bytes)) throw new InvalidRequest(`${limits.name} is not valid UTF-8.`)
  const scan = new JsonScan(bytes, limits)
  while (!scan.advance()) yield
  if (limits.budget) limits.budget.values -= scan.values
  const { cuts } = scan
  if (cuts.length === 0) return parseText(bytes.toString('utf8', 0, bytes.length), limits)
  const whole = { root: parseText(withoutCuts(bytes, cuts), limits) }
  for (const [i, cut] of cuts.entries()) {
    yield
    const value = cut.fault === undefined ? yield* parseCut(bytes, cut, limits) : new Unusable(cut.fault)
    putBack(whole, ['root', ...cut.path], { marker: markerOf(i), value })
  }
  return whole.root
}

function* parseCut(bytes: Buffer, cut: Cut, limits: JsonLimits): Generator<void, unknown> {
  const { start, end, path } = cut
  if (bytes[start] !== QUOTE) return parseText(bytes.toString('utf8', start, end), limits)
  if (path.at(-1) === 'base64') return yield* decodeCut(bytes, cut, limits)
  let text = ''
  for (const piece of stringPieces(bytes, cut, limits)) {
    text += piece
    yield
  }
  return text
}

/**
 * The bytes that a string in base64 stands for; why it can't be used where it is none, since others may come
 * with it.
 */
function* decodeCut(bytes: Buffer, cut: Cut, limits: JsonLimits): Generator<void, Uint8Array | Unusable> {
  const decoder = new Base64Decoder(cut.end - cut.start)
  try {
    for (const piece of stringPieces(bytes, cut, limits)) {
      decoder.add(piece)
      yield
    }
    return decoder.end()
  } catch (error) {
    if (!(error instanceof ImageInvalid)) throw error
    return new Unusable('it is not base64')
  }
}

function* stringPieces(bytes: Buffer, { start, end }: Cut, limits: JsonLimits): Generator<string> {
  const isEscaped = bytes.subarray(start, end).includes(BACKSLASH)
  for (let at = start + 1; at < end - 1;) {
    const to = pieceEnd(bytes, { at, end: end - 1, isEscaped })
    yield parseText(`"${bytes.toString('utf8', at, to)}"`, limits) as string
    at = to
  }
}

/** Where a piece of a string may end: neither within an escape nor within a character. */
function pieceEnd(
  bytes: Buffer,
  { at, end, isEscaped }: { at: number; end: number; isEscaped: boolean }
): number {
  const about = Math.min(at + PIECE, end)
  let to = isEscaped ? at : about
  while (to < about) to += bytes[to] === BACKSLASH ? 2 : 1
  // The digits of an escape may stand behind it.
  if (isEscaped && bytes.subarray(to - 6, to).includes(BACKSLASH))
    while (to < end && HEX[bytes[to]] === 1) to++
  while (to < end && (bytes[to] & 0xc0) === 0x80) to++
  return Math.min(to, end)
}

/** What stands for a value until it is parsed. */
function markerOf(cut: number): string {
  return `\0${cut}`
}

/** JSON with markers in the places of what was cut out. */
function withoutCuts(bytes: Buffer, cuts: Cut[]): string {
  let [text, at] = ['', 0]
  for (const [i, { start, end }] of cuts.entries()) {
    text += bytes.toString('utf8', at, start) + JSON.stringify(markerOf(i))
    at = end
  }
  return text + bytes.toString('utf8', at, bytes.length)
}

/** Puts a value where its marker is; it is not there where a key came again later in its object. */
function putBack(whole: object, path: Step[], { marker, value }: { marker: string; value: unknown }): void {
  let holder: unknown = whole
  for (const step of path.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return
    holder = (holder as Record<Step, unknown>)[step]
  }
  const last = path.at(-1)!
  const place = holder as Record<Step, unknown> | null | undefined
  if (typeof place === 'object' && place !== null && place[last] === marker) place[last] = value
}

function parseText(text: string, { name }: JsonLimits): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidRequest(`${name} is not JSON: ${(error as Error).message}`)
  }
}
