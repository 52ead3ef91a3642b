import type { FastifyRequest } from 'fastify'
import type { StoredClassifier } from '../../classifiers/classifiers.js'
import type { Collections } from '../../collections/collections.js'
import { ClassifierNotFound, InvalidRequest } from '../../errors.js'
import type { Services } from './services.js'

type Caller = Pick<FastifyRequest, 'reaches' | 'caller'>

/** What was made of a collection, or of none. */
export interface OfCollection {
  collection: string | null
  /**
   * When the collection was created, which tells it from a later one of its name; of what is older than this
   * field it is not known.
   */
  collectionCreatedAt?: number
}

/**
 * Tells whether the caller may know of what was made of a collection: a backup, a classifier, a job or an
 * evaluation. A key that is limited to collections knows of what is of a collection that it reaches and that
 * is there: not of what is of none, nor of one that was dropped, whose name may be another's by now, nor
 * where it is not known which one it is of. Keys without a limit know of everything.
 */
export async function knowledgeOf(
  request: Caller,
  collections: Pick<Collections, 'list'>
): Promise<(made: OfCollection) => boolean> {
  if (request.caller?.collections === undefined) return () => true
  const present = await collections.list()
  return ({ collection: name, collectionCreatedAt: createdAt }) =>
    name !== null &&
    request.reaches(name) &&
    createdAt !== undefined &&
    present.some(({ settings }) => settings.name === name && settings.createdAt === createdAt)
}

/** Whether the caller may know of one thing that was made of a collection. */
export async function mayKnow(
  request: Caller,
  made: OfCollection,
  collections: Pick<Collections, 'list'>
): Promise<boolean> {
  return (await knowledgeOf(request, collections))(made)
}

/**
 * The classifier of a name that is meant: of the collection where one is named, else the one of no
 * collection, else the only one. Of those that the caller may not know of there is none. Throws
 * CLASSIFIER_NOT_FOUND, and INVALID_REQUEST where it could be one of several.
 */
export async function classifierOf(
  request: Caller,
  { name, collection }: { name: string; collection?: string },
  { classifiers, collections }: Pick<Services, 'classifiers' | 'collections'>
): Promise<StoredClassifier> {
  const known = classifiers.named(name).filter(await knowledgeOf(request, collections))
  const meant = known.filter((stored) => stored.collection === (collection ?? null))
  const [found, ...others] = meant.length > 0 || collection !== undefined ? meant : known
  if (!found) throw new ClassifierNotFound(name)
  if (others.length > 0)
    throw new InvalidRequest(
      `The collections ${known.map((stored) => stored.collection).join(', ')} each have a classifier ` +
        `'${name}'; choose one with ?collection=${found.collection}.`
    )
  return found
}
