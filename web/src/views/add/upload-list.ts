import { signal } from '@preact/signals'
import type { CaptionedPicture } from './pair-captions.js'

export const STATES = ['queued', 'sending', 'created', 'updated', 'failed'] as const
export type UploadState = (typeof STATES)[number]

/**
 * A picture on its way into a collection. Its path is the id of its record, so that a second upload replaces.
 */
export interface Upload extends CaptionedPicture {
  state: UploadState
  /** The share of its bytes that has gone, from 0 to 1. */
  sent: number
  /** Why it failed. */
  reason?: string
}

export type UploadList = ReturnType<typeof createUploadList>

/** How often who looks on is told, in milliseconds. */
const TELL_MS = 60

/**
 * Pictures with what became of each. Thousands of them change by the second: `version` tells of it some times
 * a second at most.
 */
export function createUploadList() {
  const items: Upload[] = []
  const byPath = new Map<string, Upload>()
  const queue = new Set<Upload>()
  const counts = new Map<UploadState, number>()
  const bytes = { total: 0, sent: 0 }
  const version = signal(0)
  let telling: ReturnType<typeof setTimeout> | undefined
  const tell = () => {
    telling ??= setTimeout(() => {
      telling = undefined
      version.value++
    }, TELL_MS)
  }
  const count = (state: UploadState) => counts.get(state) ?? 0
  const setSent = (item: Upload, share: number) => {
    bytes.sent += (share - item.sent) * item.file.size
    item.sent = share
    tell()
  }
  const setState = (item: Upload, state: UploadState, reason?: string) => {
    counts.set(item.state, count(item.state) - 1).set(state, count(state) + 1)
    Object.assign(item, { state, reason })
    if (state === 'queued') queue.add(item)
    else queue.delete(item)
    setSent(item, state === 'queued' ? 0 : state === 'sending' ? item.sent : 1)
  }
  const add = (picture: CaptionedPicture) => {
    const known = byPath.get(picture.path)
    // The one that is on its way continues.
    if (known?.state === 'sending') return
    if (known) setSent(known, 0)
    bytes.total += picture.file.size - (known?.file.size ?? 0)
    const item = Object.assign(known ?? ({ state: 'queued', sent: 0 } as Upload), picture)
    if (!known) {
      items.push(item)
      byPath.set(item.path, item)
      counts.set('queued', count('queued') + 1)
    }
    setState(item, 'queued')
  }
  const clear = () => {
    items.length = 0
    for (const each of [byPath, queue, counts]) each.clear()
    Object.assign(bytes, { total: 0, sent: 0 })
    tell()
  }
  /** The first that waits. */
  const next = (): Upload | undefined => queue.values().next().value
  return { items, version, bytes, count, add, next, setSent, setState, clear }
}
