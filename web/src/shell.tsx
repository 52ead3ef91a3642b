import './styles/shell.css'
import { useEffect, useRef } from 'preact/hooks'
import { Link, Route, Switch, useLocation, useSearch } from 'wouter-preact'
import { useAddress, useCollectionName } from './address.js'
import { collections, collectionsProblem, loadCollections } from './collections.js'
import { apiKey, askForKey } from './connection.js'
import { Icon, type IconName } from './icon.js'
import { inCollection } from './in-collection.js'
import { KeyPrompt } from './key-prompt.js'
import { loadView } from './load-view.js'
import { Problem } from './problem.js'
import { Starting } from './starting.js'
import { cycleTheme, theme } from './theme.js'

const VIEWS: { path: string; name: string; icon: IconName }[] = [
  { path: '/', name: 'Search', icon: 'search' },
  { path: '/classify', name: 'Classify', icon: 'tag' },
  { path: '/map', name: 'Map', icon: 'map' },
  { path: '/collections', name: 'Collections', icon: 'layers' },
  { path: '/add', name: 'Add', icon: 'add' }
]

const SearchView = loadView(() =>
  import('./views/search/search-view.js').then(({ SearchView }) => SearchView)
)
const ClassifyView = loadView(() =>
  import('./views/classify/classify-view.js').then(({ ClassifyView }) => ClassifyView)
)
const MapView = loadView(() => import('./views/map/map-view.js').then(({ MapView }) => MapView))
const CollectionsView = loadView(() =>
  import('./views/collections/collections-view.js').then(({ CollectionsView }) => CollectionsView)
)
const AddView = loadView(() => import('./views/add/add-view.js').then(({ AddView }) => AddView))

/** The frame around all views: where one goes, which collection it is about, key and theme. */
export function Shell() {
  useEffect(() => void loadCollections(), [apiKey.value])
  const [path] = useLocation()
  const viewName = VIEWS.find((view) => view.path === path)?.name ?? 'Gallery'
  const view = useRef<HTMLElement>(null)
  const before = useRef(path)
  useEffect(() => {
    document.title = `${viewName} · Semblance`
    // Another view is told and gone on from, unless it has taken the focus itself.
    if (path !== before.current && !view.current?.contains(document.activeElement))
      view.current?.focus({ preventScroll: true })
    before.current = path
  }, [path])
  return (
    <>
      <a class="skip" href="#view">
        Skip to the view
      </a>
      <header class="bar">
        <Link class="brand" href="/" aria-label="Semblance">
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span>Semblance</span>
        </Link>
        <Navigation path={path} />
        <div class="bar-end">
          <CollectionChoice />
          <button
            type="button"
            class="icon-button"
            onClick={() => void askForKey('Calls to this service carry the key that you enter.')}
            title={apiKey.value ? 'Change the API key' : 'Enter an API key'}
            aria-label={apiKey.value ? 'Change the API key' : 'Enter an API key'}
          >
            <Icon name={apiKey.value ? 'key-set' : 'key'} />
          </button>
          <button
            type="button"
            class="icon-button"
            onClick={cycleTheme}
            title={`Theme: ${theme.value}`}
            aria-label={`Theme: ${theme.value}. Change it`}
          >
            <Icon name={theme.value === 'dark' ? 'moon' : theme.value === 'light' ? 'sun' : 'contrast'} />
          </button>
          <a class="icon-button" href="/docs" title="API documentation" aria-label="API documentation">
            <Icon name="docs" />
          </a>
        </div>
      </header>
      <main id="view" ref={view} tabIndex={-1} aria-label={viewName}>
        <Starting />
        {collectionsProblem.value !== undefined && (
          <Problem message={collectionsProblem.value} retry={loadCollections} />
        )}
        <Switch>
          <Route path="/" component={SearchView} />
          <Route path="/classify" component={ClassifyView} />
          <Route path="/map" component={MapView} />
          <Route path="/collections" component={CollectionsView} />
          <Route path="/add" component={AddView} />
        </Switch>
      </main>
      <KeyPrompt />
    </>
  )
}

/** Links to the views; the collection goes along. */
function Navigation({ path }: { path: string }) {
  const collection = new URLSearchParams(useSearch()).get('c')
  return (
    <nav class="views" aria-label="Views">
      {VIEWS.map((view) => (
        <Link
          key={view.path}
          href={collection ? `${view.path}?c=${collection}` : view.path}
          aria-current={view.path === path ? 'page' : undefined}
        >
          <Icon name={view.icon} />
          <span>{view.name}</span>
        </Link>
      ))}
    </nav>
  )
}

/**
 * Which collection the view is about. For another one what was asked stays, and what was of the one before
 * goes.
 */
function CollectionChoice() {
  const address = useAddress()
  const [path, navigate] = useLocation()
  const current = useCollectionName()
  const known = collections.value ?? []
  if (known.length === 0) return null
  const names = known.map(({ name }) => name)
  const choose = (chosen: string) => {
    const collection = known.find(({ name }) => name === chosen) ?? { name: chosen, model: null }
    navigate(`${path}?${inCollection(location.search, collection)}`)
  }
  return (
    <label class="collection-choice">
      <span class="visually-hidden">Collection</span>
      <select value={current} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        {address.get('c') && !names.includes(address.get('c')) && (
          <option value={address.get('c')}>{address.get('c')} (not there)</option>
        )}
        {known.map(({ name, records }) => (
          <option key={name} value={name}>{`${name} (${records.toLocaleString('en')})`}</option>
        ))}
      </select>
    </label>
  )
}
