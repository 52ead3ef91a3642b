import type { RequestSource } from './run.js'

export function allRequests(): RequestSource
