import type { ComponentChildren } from 'preact'
import type { Collection } from '../../collections.js'
import { formatBytes, formatCount, formatDate } from '../../format.js'
import { Icon } from '../../icon.js'
import { models } from '../../models.js'
import { Fingerprint } from './fingerprint.js'
import { mismatchOf } from './mismatch.js'

const KEPT = { original: 'as sent', thumbnail: 'as thumbnails', none: 'none' }

/** What a collection holds and what it was made with. */
export function Overview({ collection }: { collection: Collection }) {
  const {
    records,
    images,
    texts,
    bytes,
    storage,
    model,
    fingerprint,
    dimension,
    hnsw,
    created_at: createdAt
  } = collection
  const mismatch = mismatchOf(collection, models.value ?? [])
  return (
    <>
      {mismatch && (
        <div class="problem" role="note">
          <Icon name="warning" />
          <p>
            {mismatch} Searches by words and pictures are rejected. Load that model, or re-index the
            collection with a loaded model.
          </p>
          <a class="button" href="#reindex">
            Re-index
          </a>
        </div>
      )}
      <dl class="numbers">
        <Figure name="Records">{formatCount(records)}</Figure>
        <Figure name="Pictures">{formatCount(images)}</Figure>
        <Figure name="Texts">{formatCount(texts)}</Figure>
        <Figure name="Size">{formatBytes(bytes)}</Figure>
      </dl>
      <dl class="facts wide">
        <dt>Model</dt>
        <dd>{model === null ? 'none: embeddings are supplied by clients' : <code>{model}</code>}</dd>
        {fingerprint !== null && (
          <>
            <dt>Fingerprint</dt>
            <dd>
              <Fingerprint value={fingerprint} />
            </dd>
          </>
        )}
        <dt>Dimension</dt>
        <dd>{dimension}</dd>
        <dt>HNSW</dt>
        <dd>{`m ${hnsw.m}, ef_construction ${hnsw.ef_construction}, ef_search ${hnsw.ef_search}`}</dd>
        <dt>Pictures kept</dt>
        <dd>{KEPT[storage]}</dd>
        <dt>Created</dt>
        <dd>
          <time dateTime={createdAt}>{formatDate(createdAt)}</time>
        </dd>
      </dl>
    </>
  )
}

function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
