import type { Address } from '../../address.js'
import { readCondition, writeCondition, type Condition } from './condition.js'
import { isThere } from './is-there.js'
import { readPart, writePart, type Part } from './part.js'

export const TARGETS = ['image', 'text', 'record'] as const
export type Target = (typeof TARGETS)[number]

/** What is searched for: all of it is in the link. */
export interface SearchRequest {
  /** The words in the box, weight 1. */
  text: string
  parts: Part[]
  conditions: Condition[]
  target: Target
  exact: boolean
}

/** Reads a link. What it does not know is left out. */
export function readSearchRequest(address: Address): SearchRequest {
  return {
    text: address.get('q'),
    parts: address.getAll('p').map(readPart).filter(isThere),
    conditions: address.getAll('f').map(readCondition).filter(isThere),
    target: TARGETS.find((each) => each === address.get('target')) ?? 'image',
    exact: address.get('exact') === 'true'
  }
}

/** The names of the link that a change sets; a record that is open is closed by it. */
export function writeSearchRequest({
  text,
  parts,
  conditions,
  target,
  exact
}: Partial<SearchRequest>): Record<string, string | string[] | undefined> {
  return {
    ...(text !== undefined && { q: text }),
    ...(parts && { p: parts.map(writePart) }),
    ...(conditions && { f: conditions.map(writeCondition) }),
    ...(target && { target: target === 'image' ? undefined : target }),
    ...(exact !== undefined && { exact: exact ? 'true' : undefined }),
    r: undefined
  }
}

/** Whether something is searched for: else the collection is shown as it is. */
export const isSearch = ({ text, parts }: SearchRequest): boolean => text.trim() !== '' || parts.length > 0
