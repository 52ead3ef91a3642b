import type { ComponentChildren } from 'preact'
import { Link } from 'wouter-preact'
import type { Collection } from '../../collections.js'
import { Backups } from './backups.js'
import { Exports } from './exports.js'
import { Overview } from './overview.js'
import { Reindex } from './reindex.js'
import { SettingsForm } from './settings-form.js'
import { Snapshots } from './snapshots.js'

/** All about one collection, and what can be done with it. */
export function CollectionDetail({ collection, onDrop }: { collection: Collection; onDrop: () => void }) {
  const { name } = collection
  return (
    <article class="collection" aria-labelledby="collection-name">
      <header class="row">
        <h2 id="collection-name">{name}</h2>
        <Link class="button" href={`/?c=${name}`}>
          Search
        </Link>
        <Link class="button" href={`/add?c=${name}`}>
          Add
        </Link>
      </header>
      <Overview collection={collection} />
      <div class="sections">
        <Section id="settings" title="Settings">
          <SettingsForm key={name} collection={collection} />
        </Section>
        <Section id="reindex" title="Re-index">
          <Reindex key={name} collection={collection} />
        </Section>
        <Section id="snapshots" title="Snapshots">
          <Snapshots key={name} collection={collection} />
        </Section>
        <Section id="backups" title="Backups">
          <Backups key={name} collection={name} />
        </Section>
        <Section id="export" title="Export">
          <Exports key={name} collection={collection} />
        </Section>
        <Section id="drop" title="Drop">
          <p class="hint">Deletes all records and kept pictures. Backups stay.</p>
          <div>
            <button type="button" class="danger" onClick={onDrop}>{`Drop ${name}`}</button>
          </div>
        </Section>
      </div>
    </article>
  )
}

function Section({ id, title, children }: { id: string; title: string; children: ComponentChildren }) {
  return (
    <section id={id} class="card" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{title}</h3>
      {children}
    </section>
  )
}
