import { FilterInvalid, InvalidRequest, BodyTooLarge } from '../errors.js'

/** What JSON may hold, all of it judged by its bytes before any of it is parsed. */
export interface JsonLimits {
  /** What it is called in errors: "The body". */
  name: string
  /** Values outside of lists of numbers, at most. */
  values?: number
  /** Bytes beside images in base64 and lists of numbers, at most. */
  plainBytes?: number
  /** Whether all of it is one metadata or one filter. */
  root?: Guarded
  /** What several pieces of JSON share: the values of each are taken off. */
  budget?: { values: number }
}

/** A key of an object, or a position in a list. */
export type Step = string | number

/** A value that is parsed for itself, or is not worth it. */
export interface Cut {
  start: number
  end: number
  path: Step[]
  /** Why it can't be used: then it is not parsed. */
  fault?: string
}

type Guarded = 'metadata' | 'filter'

/** A metadata or a filter that is being scanned. */
interface Guard {
  name: Guarded
  /** Of the object that it is in. */
  depth: number
  start: number
  /** Values before it. */
  values: number
  fault?: string
}

const MAX_DEPTH = 64
/** Deepest metadata, and deepest filter: one of 16 levels, each of a list and an object. */
const GUARDED_DEPTH: Record<Guarded, number> = { metadata: 32, filter: 36 }
/**
 * Largest metadata or filter before it is parsed: white space and escapes may take several bytes where 64 KiB
 * are allowed.
 */
const GUARDED_BYTES = 256 * 1024
export const USUAL_VALUES = 100_000
/** Keys outside of metadata and filters, at most: V8 takes long for objects of many keys. */
const MAX_KEYS = 20_000
const USUAL_PLAIN_BYTES = 1 << 20
/**
 * Numbers in lists of numbers, at most: two embeddings of 8,192 dimensions for each of 256 records, and as
 * much again.
 */
const MAX_NUMBERS = 2 ** 23
/** Largest list of numbers, in bytes. */
const MAX_LIST_BYTES = 1 << 20
/** Bytes over which a string, a list of numbers, or metadata is parsed for itself. */
const LONG = { string: 16 * 1024, list: 4 * 1024, guarded: 256 }
/** Most bytes of white space, or of a number. */
const MAX_GAP = 1 << 20
/** Bytes that are scanned at a time, about: they take a millisecond or two. */
const PIECE = 128 * 1024

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const IN_NUMBERS = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(' \t\r\n0123456789+-.eE,'.includes(String.fromCharCode(byte)) && byte < 128)
)

/**
 * Goes over the bytes of JSON once, piece by piece and without recursion: bounds its depth, its values and
 * its parts, refuses keys that would reach prototypes, and finds the values that are to be parsed for
 * themselves. Whether it is JSON is not looked at.
 */
export class JsonScan {
  readonly cuts: Cut[] = []
  readonly #bytes: Buffer
  readonly #limits: Required<Omit<JsonLimits, 'root' | 'budget'>>
  #at = 0
  #depth = 0
  #values = 0
  #numbers = 0
  /** Bytes of images and numbers, and of what is not parsed. */
  #exempt = 0
  /** Where the string began that is being scanned; -1 outside of strings. */
  #string = -1
  /** The next quote and the next backslash, where they are known. */
  #quote = -1
  #backslash = -1
  /** Where the last string or sign was. */
  #sign = 0
  #isKey = false
  #keys = 0
  /** Of the levels that are open: whether they are objects, where their last key is, or their position. */
  readonly #isObject: boolean[] = [false]
  readonly #keyStarts: number[] = [0]
  readonly #keyEnds: number[] = [0]
  readonly #positions: number[] = [0]
  #named: Guarded | undefined
  #guard: Guard | undefined

  constructor(
    bytes: Buffer,
    { name, values = USUAL_VALUES, plainBytes = USUAL_PLAIN_BYTES, root }: JsonLimits
  ) {
    this.#bytes = bytes
    this.#limits = { name, values, plainBytes }
    if (root) this.#guard = { name: root, depth: 0, start: 0, values: 0 }
  }

  /**
   * Goes on for a piece; whether that was the last. Throws INVALID_REQUEST, FILTER_INVALID and
   * BODY_TOO_LARGE.
   */
  advance(): boolean {
    const end = this.#bytes.length
    const until = Math.min(this.#at + PIECE, end)
    while (this.#at < until) {
      if (this.#string >= 0) this.#goOnInString(until)
      else this.#take(this.#bytes[this.#at])
    }
    this.#requireBounds()
    if (this.#at < end) return false
    if (this.#guard && this.#guard.depth === 0) this.#leaveGuard(end)
    return true
  }

  #take(byte: number): void {
    if (byte === QUOTE) this.#string = ++this.#at
    else if (byte === COMMA) this.#next()
    else if (byte === COLON) this.#enterValue()
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte === OPEN_OBJECT)
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#close()
    else return void this.#at++
    this.#sign = this.#at
  }

  #open(isObject: boolean): void {
    this.#at++
    this.#values++
    this.#depth++
    this.#requireDepth()
    this.#isKey = isObject
    if (this.#depth <= MAX_DEPTH) {
      this.#isObject[this.#depth] = isObject
      this.#positions[this.#depth] = 0
      this.#keyStarts[this.#depth] = this.#keyEnds[this.#depth] = 0
    }
    // In metadata and filters numbers count as all else does.
    if (!isObject && !this.#guard) this.#passNumbers()
  }

  #close(): void {
    if (this.#guard?.depth === this.#depth) this.#leaveGuard(this.#at)
    this.#at++
    this.#depth = Math.max(0, this.#depth - 1)
    this.#isKey = false
  }

  #next(): void {
    if (this.#guard?.depth === this.#depth) this.#leaveGuard(this.#at)
    this.#at++
    this.#values++
    if (this.#depth > MAX_DEPTH) return
    this.#positions[this.#depth]++
    this.#isKey = this.#isObject[this.#depth]
  }

  #enterValue(): void {
    this.#at++
    this.#isKey = false
    if (this.#named && !this.#guard)
      this.#guard = { name: this.#named, depth: this.#depth, start: this.#at, values: this.#values }
    this.#named = undefined
  }

  #goOnInString(until: number): void {
    const bytes = this.#bytes
    const end = bytes.length
    for (;;) {
      while (this.#at < until && bytes[this.#at] === BACKSLASH) this.#at += 2
      if (this.#at >= until) return
      this.#quote = find(bytes, QUOTE, { from: this.#at, known: this.#quote })
      this.#backslash = find(bytes, BACKSLASH, { from: this.#at, known: this.#backslash })
      this.#at = Math.min(this.#quote, this.#backslash)
      if (this.#at === end) return
      if (this.#quote < this.#backslash) return this.#endString(this.#at++)
    }
  }

  #endString(end: number): void {
    const start = this.#string
    this.#string = -1
    this.#sign = end
    if (this.#isKey) this.#takeKey(start, end)
    else if (end - start > LONG.string && !this.#guard)
      this.#cut(start - 1, end + 1, this.#keyAt(this.#depth) === 'base64')
  }

  #takeKey(start: number, end: number): void {
    if (this.#depth > MAX_DEPTH) return
    this.#keyStarts[this.#depth] = start
    this.#keyEnds[this.#depth] = end
    if (!this.#guard) this.#keys++
    // Only these are looked at, and what may be one of them with escapes.
    const length = end - start
    if (length !== 6 && length !== 8 && length !== 9 && (length < 12 || length > 66)) return
    const key = this.#keyAt(this.#depth)
    if (key === '__proto__' || (key === 'prototype' && this.#keyAt(this.#depth - 1) === 'constructor')) {
      throw new InvalidRequest(
        `${this.#limits.name} has the key '${key}' (at ${this.#place()}), which is not allowed; rename it.`
      )
    }
    if (key === 'metadata' || key === 'filter') this.#named = key
  }

  /** Passes over the numbers that a list begins with. */
  #passNumbers(): void {
    const from = this.#at
    let [at, commas] = [from, 0]
    while (IN_NUMBERS[this.#bytes[at]] === 1) {
      if (this.#bytes[at++] === COMMA) commas++
      if (at - from > MAX_LIST_BYTES)
        throw new InvalidRequest(
          `${this.#limits.name} has a list with more than ${MAX_LIST_BYTES} bytes of numbers (at ` +
            `${this.#place()}); send fewer numbers.`
        )
    }
    this.#at = at
    this.#positions[this.#depth] += commas
    if (this.#bytes[at] !== CLOSE_LIST) return void (this.#values += commas)
    this.#numbers += commas + 1
    if (at - from > LONG.list) {
      this.#depth--
      this.#cut(from - 1, at + 1, true)
      this.#depth++
    }
  }

  #cut(start: number, end: number, isExempt: boolean): void {
    this.cuts.push({ start, end, path: this.#path() })
    if (isExempt) this.#exempt += end - start
  }

  #leaveGuard(end: number): void {
    const guard = this.#guard!
    if (guard.fault === undefined && end - guard.start > GUARDED_BYTES) this.#refuseSize(guard)
    const { start, fault } = guard
    if (fault !== undefined) this.#values = guard.values
    this.#guard = undefined
    if (fault === undefined && end - start <= LONG.guarded) return
    this.cuts.push({ start, end, path: this.#path(guard.depth), fault })
    if (fault !== undefined) this.#exempt += end - start
  }

  /** Values that it has had so far. */
  get values(): number {
    return this.#values
  }

  /** Of a metadata that can't be used the values count no more: it is passed over. */
  #refuse(guard: Guard, fault: string): void {
    if (guard.name === 'filter') throw new FilterInvalid(fault)
    guard.fault = fault
  }

  #refuseSize(guard: Guard): void {
    this.#refuse(guard, `The ${guard.name} is larger than 64 KiB.`)
  }

  #requireDepth(): void {
    const guard = this.#guard
    if (guard && guard.fault === undefined && this.#depth - guard.depth > GUARDED_DEPTH[guard.name]) {
      this.#refuse(
        guard,
        guard.name === 'filter'
          ? 'The filter is nested more than 16 levels deep.'
          : 'The metadata is nested more than 32 levels deep.'
      )
    }
    if (this.#depth > MAX_DEPTH && guard?.fault === undefined)
      throw new InvalidRequest(
        `${this.#limits.name} is nested more than ${MAX_DEPTH} levels deep (at ${this.#place()}).`
      )
  }

  #requireBounds(): void {
    const { name, values, plainBytes } = this.#limits
    const guard = this.#guard
    if (guard && guard.fault === undefined && this.#at - guard.start > GUARDED_BYTES) this.#refuseSize(guard)
    if (guard?.fault !== undefined) this.#values = guard.values
    if (this.#values > values)
      throw new InvalidRequest(
        `${name} has more than ${values} values (at ${this.#place()}); send fewer at a time.`
      )
    if (this.#keys > MAX_KEYS)
      throw new InvalidRequest(
        `${name} has more than ${MAX_KEYS} keys (at ${this.#place()}); send fewer at a time.`
      )
    if (this.#string < 0 && this.#at - this.#sign > MAX_GAP)
      throw new InvalidRequest(
        `${name} has more than ${MAX_GAP} consecutive bytes of white space or digits (at ${this.#place()}).`
      )
    if (this.#numbers > MAX_NUMBERS)
      throw new InvalidRequest(
        `${name} has more than ${MAX_NUMBERS} numbers (at ${this.#place()}); send fewer at a time.`
      )
    const seen = guard?.fault !== undefined ? guard.start : this.#string >= 0 ? this.#string : this.#at
    if (seen - this.#exempt > plainBytes)
      throw new BodyTooLarge(
        `${name} has more than ${plainBytes} bytes apart from images and lists of numbers (at ` +
          `${this.#place()}); send less at a time.`
      )
  }

  #path(depth = this.#depth): Step[] {
    return Array.from({ length: Math.min(depth, MAX_DEPTH) }, (_, i) =>
      this.#isObject[i + 1] ? this.#keyAt(i + 1) : this.#positions[i + 1]
    )
  }

  #keyAt(depth: number): string {
    if (depth < 1 || !this.#isObject[depth]) return ''
    const text = this.#bytes.toString('utf8', this.#keyStarts[depth], this.#keyEnds[depth])
    if (!text.includes('\\')) return text
    try {
      return JSON.parse(`"${text}"`)
    } catch {
      // It is no JSON, as who parses it will find.
      return text
    }
  }

  /** Where the scan is, for errors: keys in short, the last levels left out where there are many. */
  #place(): string {
    const steps = this.#path()
      .slice(0, 8)
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 40)}`))
    return steps.join('').replace(/^\./, '') || 'the top'
  }
}

/**
 * Where a byte is next, from some place on: what is known of it holds until it has been passed. The end where
 * there is none.
 */
function find(bytes: Buffer, byte: number, { from, known }: { from: number; known: number }): number {
  if (known >= from) return known
  const found = bytes.indexOf(byte, from)
  return found < 0 ? bytes.length : found
}
