import type { FastifyRequest } from 'fastify'
import type { StoredClassifier } from '../classifiers/classifiers.js'
import type { Collections } from '../collections/collections.js'
import { ClassifierNotFound, CollectionForbidden } from '../errors.js'

type Caller = Pick<FastifyRequest, 'reaches' | 'caller'>

/** What was made of a collection, or of none: a job, or a classifier. */
export interface OfCollection {
  collection: string | null
  /** When the collection was created, which tells it from a later one of its name; of what is older than this field it is not known. */
  collectionCreatedAt?: number
}

/**
 * Whether the caller may know of what was made of a collection: its key reaches the collection, or is limited to none where it is of none.
 * What is of a collection that was dropped is not for keys that reach the one that has its name now.
 */
export function mayKnow(request: Caller, { collection: name, collectionCreatedAt: createdAt }: OfCollection, collections: Pick<Collections, 'list'>): boolean {
  if (request.caller?.collections === undefined) return true
  if (name === null || !request.reaches(name)) return false
  const present = collections.list().find(({ settings }) => settings.name === name)
  return createdAt === undefined || present === undefined || present.settings.createdAt === createdAt
}

/** The classifier, if the caller may know of it. Throws CLASSIFIER_NOT_FOUND. */
export function reached(request: Caller, stored: StoredClassifier, collections: Pick<Collections, 'list'>): StoredClassifier {
  if (!mayKnow(request, stored, collections)) throw new ClassifierNotFound(stored.name)
  return stored
}

/** Throws COLLECTION_FORBIDDEN where a classifier has the name that is of a collection out of the caller's reach. What is of one that was dropped may be replaced. */
export function requireReplaceable(request: Caller, existing: StoredClassifier | undefined): void {
  if (!existing || request.caller?.collections === undefined) return
  if (existing.collection === null || !request.reaches(existing.collection)) throw new CollectionForbidden(`classifier '${existing.name}'`)
}
