import './search.css'
import { Link } from 'wouter-preact'
import { useCollectionName } from '../../address.js'
import { collections, type Collection } from '../../collections.js'
import { messageOf } from '../../connection.js'
import { Failure } from '../../failure.js'
import { LinkNote } from '../../link-note.js'
import { Problem } from '../../problem.js'
import { becameReady } from '../../starting.js'
import { isSearch } from './search-request.js'
import { Detail } from './detail.js'
import { keepImage } from './dropped-images.js'
import { FilterAside, FilterChips, FilterDrawer } from './filters.js'
import { ResultGrid } from './result-grid.js'
import { SearchBox } from './search-box.js'
import { Starters } from './starters.js'
import { Summary } from './summary.js'
import { Toolbar } from './toolbar.js'
import { useSearchRequest, type SearchControls } from './use-search-request.js'
import { useFacets } from './use-facets.js'
import { useImageDrop } from './use-image-drop.js'
import { useResults, type Results } from './use-results.js'

/** Search by words, pictures and records; without a query the collection as it is. */
export function SearchView() {
  const name = useCollectionName()
  if (name !== undefined) return <CollectionSearch name={name} />
  return (
    <>
      <h1 class="visually-hidden">Search</h1>
      {collections.value?.length === 0 && (
        <div class="empty">
          <p>There is nothing to search yet.</p>
          <Link class="button" href="/add">
            Add pictures or texts
          </Link>
        </div>
      )}
    </>
  )
}

function CollectionSearch({ name }: { name: string }) {
  const controls = useSearchRequest()
  const { request, change } = controls
  const collection = collections.value?.find((each) => each.name === name)
  // The service may still load it: its first records and its last ones are news.
  const filling = `${collection?.records === 0} ${becameReady.value}`
  const results = useResults(name, request, filling)
  const { facets, problem } = useFacets(name, filling)
  // As long as it is not known, it is taken to have one.
  const hasModel = collection?.model !== null
  const addImages = (files: File[]) =>
    change({
      parts: [
        ...request.parts,
        ...files.map((file) => ({ kind: 'image' as const, value: keepImage(file), weight: 1 }))
      ]
    })
  const isOver = useImageDrop((files) => hasModel && addImages(files))
  const filters = {
    facets,
    conditions: request.conditions,
    onChange: (conditions: typeof request.conditions) => change({ conditions })
  }
  return (
    <div class="search" data-over={isOver || undefined}>
      <h1 class="visually-hidden">Search</h1>
      <SearchBox controls={controls} collection={name} hasModel={hasModel} onImages={addImages} />
      <LinkNote />
      {request.parts.some(({ kind }) => kind === 'image') && (
        <p class="muted search-note">A dropped picture stays on this page: the link keeps all else.</p>
      )}
      {!hasModel && (
        <p class="muted search-note">
          Clients supplied the embeddings of this collection, so it can't be searched by words or pictures.
          Use “more like this” on any record to find similar ones.
        </p>
      )}
      {(results.first ? results.first.took : isSearch(request)) && (
        <Toolbar controls={controls} results={results} collection={name} />
      )}
      {results.first &&
        !results.first.took &&
        request.conditions.length === 0 &&
        hasModel &&
        results.found.length > 0 && <Starters controls={controls} collection={name} found={results.found} />}
      <div class="search-body" data-bare={facets.length === 0 || undefined}>
        <FilterAside {...filters} />
        <section class="search-found" aria-label="Results">
          <div class="search-line">
            <Summary
              results={results}
              request={request}
              total={collection?.records ?? results.found.length}
            />
            <FilterDrawer {...filters} />
          </div>
          <FilterChips {...filters} />
          {problem !== undefined && problem !== messageOf(results.problem) && <Problem message={problem} />}
          {results.problem !== undefined && <Failure error={results.problem} retry={results.retry} />}
          <ResultGrid results={results} target={request.target} controls={controls} />
          {results.first && results.found.length === 0 && (
            <NothingFound results={results} controls={controls} collection={collection} />
          )}
        </section>
      </div>
      <Detail controls={controls} collection={name} found={results.found} />
      {isOver && (
        <div class="drop-over" aria-hidden="true">
          {hasModel ? 'Drop to search by this picture' : 'This collection has no model for pictures'}
        </div>
      )}
    </div>
  )
}

/** Why there is no result, and the way on. */
function NothingFound({
  results: { first },
  controls: { request, change },
  collection
}: {
  results: Results
  controls: SearchControls
  collection?: Collection
}) {
  if (request.conditions.length > 0) {
    return (
      <div class="empty">
        <p>No record passes these filters.</p>
        <button type="button" onClick={() => change({ conditions: [] })}>
          Clear the filters
        </button>
      </div>
    )
  }
  if (collection?.records === 0 || !first?.took) {
    return (
      <div class="empty">
        <p>This collection is still empty.</p>
        <Link class="button" href={collection ? `/add?c=${collection.name}` : '/add'}>
          Add pictures or texts
        </Link>
      </div>
    )
  }
  const other = request.target === 'text' ? 'image' : 'text'
  return (
    <div class="empty">
      <p>
        {request.target === 'record'
          ? 'No matches.'
          : `No record here holds ${request.target === 'text' ? 'a text' : 'a picture'}.`}
      </p>
      {request.target !== 'record' && (
        <button
          type="button"
          onClick={() => change({ target: other })}
        >{`Look for ${other === 'text' ? 'texts' : 'pictures'}`}</button>
      )}
    </div>
  )
}
