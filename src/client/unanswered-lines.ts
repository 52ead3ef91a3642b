const encoder = new TextEncoder()
const NEWLINE = 0x0a
/** Lines of one call where bodies can't be streamed, and their bytes. */
const BATCH = 256
const BATCH_BYTES = 4 << 20

/** A line with its end. */
function ended(line: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(line.length + 1)
  bytes.set(line)
  bytes[line.length] = NEWLINE
  return bytes
}

/**
 * Records, or lines as they are, as numbered lines, read as they are wanted and kept until they are answered,
 * so that they can be sent again.
 */
export class UnansweredLines {
  readonly #records: AsyncIterator<unknown> | Iterator<unknown>
  #lines: { id?: string; bytes: Uint8Array<ArrayBuffer> }[] = []
  #first: number
  #hasEnded = false
  #reading: Promise<void> | undefined
  /** What reading the records threw. */
  failure: { error: unknown } | undefined

  constructor(records: AsyncIterable<unknown> | Iterable<unknown>, first: number) {
    this.#records =
      Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]()
    this.#first = first
  }

  /** The number of the first line that is not answered. */
  get first(): number {
    return this.#first
  }

  /** The bytes of a line; undefined after the last. */
  async at(number: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (number >= this.#first + this.#lines.length && !this.#hasEnded) {
      // One read at a time, also where a stream that broke off still waits for one.
      await (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)))
    }
    return this.#lines[number - this.#first]?.bytes
  }

  /** Whether every record is answered. */
  async isDone(): Promise<boolean> {
    return (await this.at(this.#first)) === undefined
  }

  /** Lets go of the lines up to an answered one; the id of that one's record, if it brought one. */
  answered(number: number): string | undefined {
    const passed = this.#lines.splice(0, number - this.#first + 1)
    this.#first += passed.length
    return passed.at(-1)?.id
  }

  /** All lines that are not answered, read as fast as they are taken. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let next = this.#first
    return new ReadableStream(
      {
        pull: async (controller) => {
          const line = await this.at(next++)
          if (line) controller.enqueue(line)
          else controller.close()
        }
      },
      { highWaterMark: 0 }
    )
  }

  /** The next lines, as many as go in one call. */
  async batch(): Promise<Uint8Array<ArrayBuffer>[]> {
    const lines: Uint8Array<ArrayBuffer>[] = []
    for (let bytes = 0; lines.length < BATCH && bytes < BATCH_BYTES;) {
      const line = await this.at(this.#first + lines.length)
      if (!line) break
      lines.push(line)
      bytes += line.length
    }
    return lines
  }

  /** Tells the records that no more are wanted. */
  async close(): Promise<void> {
    if (!this.#hasEnded && !this.#reading) await this.#records.return?.()
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#records.next()
      if (done) this.#hasEnded = true
      else if (typeof value === 'string') this.#lines.push({ bytes: encoder.encode(value + '\n') })
      else if (value instanceof Uint8Array) this.#lines.push({ bytes: ended(value) })
      else
        this.#lines.push({
          id: (value as { id?: string }).id,
          bytes: encoder.encode(JSON.stringify(value) + '\n')
        })
    } catch (error) {
      this.#hasEnded = true
      this.failure = { error }
      throw error
    }
  }
}
