/** Requests that a run draws from: an arbitrary of fast-check. */
export type RequestSource = object & { readonly __requests?: never }

/** A request as it goes out. */
export interface SentRequest {
  method: string
  path: string
  headers: [string, string][]
  bytes?: Buffer
  way: string
}

export interface FuzzFault {
  kind: string
  /** fast-check's seed and path: `--replay` of bench/fuzz.js sends the request again. */
  replay: string
  request: SentRequest
  /** The head of the answer. */
  answer?: string
  times: number
}

export interface FuzzResult {
  sent: number
  statuses: Record<string, number>
  faults: FuzzFault[]
  /** Records that are not as was acknowledged. */
  losses: string[]
  isKnown: boolean
  workerDeaths: number
  health: { answers: number; failed: number; p99: number; worst: number; late: number }
  memory: { warm: number; end: number; peak: number; slopePerThousand: number }
}

export function run(options: {
  url: string
  pid: number
  dataDir: string
  requests: RequestSource
  seed: number
  total: number
  onFault?: (fault: FuzzFault) => void
}): Promise<FuzzResult>
