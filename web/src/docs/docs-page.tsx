import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Description } from '../../../src/http/docs/code-samples/operation.js'
import { apiKey, askForKey, messageOf } from '../connection.js'
import { Icon } from '../icon.js'
import { KeyPrompt } from '../key-prompt.js'
import { Problem } from '../problem.js'
import { cycleTheme, theme } from '../theme.js'
import { Contents } from './contents.js'
import { errorsIn, fetchDescription, groupsOf } from './description.js'
import { ErrorTable } from './error-table.js'
import { OperationSection } from './operation-section.js'
import { Prose } from './prose.js'

/** The API: every call to read, to run and to copy as code. */
export function DocsPage() {
  const description = useSignal<Description | undefined>(undefined)
  const problem = useSignal<string | undefined>(undefined)
  const load = () => {
    problem.value = undefined
    fetchDescription().then(
      (what) => (description.value = what),
      (error) => (problem.value = messageOf(error))
    )
  }
  useEffect(load, [])
  return (
    <>
      <a class="skip" href="#calls">
        Skip to the calls
      </a>
      <Bar description={description.value} />
      <main>
        {problem.value !== undefined && <Problem message={problem.value} retry={load} />}
        {description.value ? (
          <Calls description={description.value} />
        ) : (
          problem.value === undefined && (
            <p class="busy" role="status">
              Loading
            </p>
          )
        )}
      </main>
      <KeyPrompt />
    </>
  )
}

function Bar({ description }: { description: Description | undefined }) {
  const isOpen = useSignal(false)
  const keyLabel = apiKey.value ? 'Change the API key' : 'Enter an API key'
  return (
    <header class="bar">
      <a class="brand" href="/">
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>Semblance</span>
      </a>
      <h1>API</h1>
      <div class="bar-end">
        <a class="wide" href="/">
          Gallery
        </a>
        <button
          type="button"
          class="icon-button"
          title={keyLabel}
          aria-label={keyLabel}
          onClick={() => void askForKey('Calls from this page carry the key that you enter.')}
        >
          <Icon name={apiKey.value ? 'key-set' : 'key'} />
        </button>
        <button
          type="button"
          class="icon-button"
          title={`Theme: ${theme.value}`}
          aria-label={`Theme: ${theme.value}. Change it`}
          onClick={cycleTheme}
        >
          <Icon name={theme.value === 'dark' ? 'moon' : theme.value === 'light' ? 'sun' : 'contrast'} />
        </button>
        <button
          type="button"
          class="menu"
          aria-expanded={isOpen.value}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          Calls
        </button>
      </div>
      {isOpen.value && description && (
        <div class="drawer">
          <Contents groups={groupsOf(description)} onChosen={() => (isOpen.value = false)} />
        </div>
      )}
    </header>
  )
}

function Calls({ description }: { description: Description }) {
  const groups = groupsOf(description)
  const errors = errorsIn(description)
  // What the link names is there only now.
  useEffect(() => {
    if (location.hash.length > 1)
      document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView()
  }, [])
  return (
    <div class="columns">
      <aside aria-label="Contents">
        <Contents groups={groups} />
      </aside>
      <div id="calls" tabIndex={-1}>
        <section class="intro" aria-label="About this API">
          <Prose text={description.info.description} />
          <p>
            For machines: <a href="/openapi.yaml">openapi.yaml</a>, <a href="/openapi.json">openapi.json</a>.
            To look around: <a href="/">the gallery</a>.
          </p>
        </section>
        {groups.map(({ name, places }) => (
          <section key={name} class="group" aria-label={name}>
            <h2>{name}</h2>
            {places.map((place) => (
              <OperationSection key={place.operation.operationId} place={place} errors={errors} />
            ))}
          </section>
        ))}
        <section id="errors" class="group" aria-labelledby="errors-title">
          <h2 id="errors-title">Errors</h2>
          <ErrorTable errors={[...errors.values()]} withIds />
        </section>
      </div>
    </div>
  )
}
