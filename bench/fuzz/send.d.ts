import type { SentRequest } from './run.js'

export function asCurl(url: string, request: SentRequest, keep: (bytes: Buffer) => string): string
