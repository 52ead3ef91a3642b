import { Link } from 'wouter-preact'
import type { Collection } from '../../collections.js'
import { formatBytes, formatCount, formatNumber } from '../../format.js'
import { Icon } from '../../icon.js'
import { models } from '../../models.js'
import { jobs } from './jobs.js'
import { mismatchOf } from './mismatch.js'

/** The collections by name, with how much is in them and what is going on. */
export function CollectionList({
  collections,
  current
}: {
  collections: Collection[]
  current: string | undefined
}) {
  return (
    <nav class="collection-list" aria-label="Collections">
      <ul>
        {collections.map((collection) => (
          <li key={collection.name}>
            <Link
              href={`/collections?c=${collection.name}`}
              aria-current={collection.name === current ? 'true' : undefined}
            >
              <span class="collection-name">{collection.name}</span>
              <Mark collection={collection} />
              <small class="muted">
                {`${formatNumber(collection.records, 'record')} · ` +
                  `${formatBytes(collection.bytes)} · ${collection.model ?? 'no model'}`}
              </small>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Mark({ collection }: { collection: Collection }) {
  const job = jobs.value.find(
    ({ collection: name, state }) => name === collection.name && state === 'running'
  )
  if (job)
    return (
      <span class="mark">
        {`re-indexing ${formatCount(job.progress.done)} of ` + `${formatCount(job.progress.total)}`}
      </span>
    )
  if (mismatchOf(collection, models.value ?? []))
    return (
      <span class="mark wrong">
        <Icon name="warning" />
        <span class="visually-hidden">another model</span>
      </span>
    )
  return null
}
