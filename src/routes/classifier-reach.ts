import type { FastifyRequest } from 'fastify'
import type { StoredClassifier } from '../classifiers/classifiers.js'
import { ClassifierNotFound, CollectionForbidden } from '../errors.js'

type Caller = Pick<FastifyRequest, 'reaches' | 'caller'>

/** Whether the caller may know of a classifier: it is its collection's, or belongs to those who reach every collection. */
export function reachesClassifier(request: Caller, { collection }: Pick<StoredClassifier, 'collection'>): boolean {
  return collection === null ? request.caller?.collections === undefined : request.reaches(collection)
}

/** The classifier, if the caller may know of it. Throws CLASSIFIER_NOT_FOUND. */
export function reached(request: Caller, stored: StoredClassifier): StoredClassifier {
  if (!reachesClassifier(request, stored)) throw new ClassifierNotFound(stored.name)
  return stored
}

/** Throws COLLECTION_FORBIDDEN where a classifier has the name that the caller may not know of. */
export function requireReplaceable(request: Caller, existing: StoredClassifier | undefined): void {
  if (existing && !reachesClassifier(request, existing)) throw new CollectionForbidden(`classifier '${existing.name}'`)
}
