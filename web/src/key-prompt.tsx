import { useEffect, useRef } from 'preact/hooks'
import { apiKey, enterKey, keyWanted } from './connection.js'

/** Asks for the API key, while one is wanted. It never goes into a link. */
export function KeyPrompt() {
  const dialog = useRef<HTMLDialogElement>(null)
  const why = keyWanted.value
  useEffect(() => {
    if (why === undefined) dialog.current?.close()
    else if (!dialog.current?.open) dialog.current?.showModal()
  }, [why])
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    enterKey(String(form.get('key')).trim(), { remember: form.get('remember') === 'on' })
  }
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="key-title" onCancel={() => enterKey(undefined)}>
      {why !== undefined && (
        <form onSubmit={submit}>
          <h2 id="key-title">API key</h2>
          <p>{why}</p>
          <label class="field">
            <span>Key</span>
            <input
              name="key"
              type="password"
              autocomplete="current-password"
              spellcheck={false}
              autofocus
              defaultValue={apiKey.peek()}
              required
            />
          </label>
          <label class="check">
            <input name="remember" type="checkbox" /> Remember it on this device
          </label>
          <div class="dialog-end">
            {apiKey.peek() !== '' && (
              <button type="button" class="danger" onClick={() => enterKey('')}>
                Forget it
              </button>
            )}
            <button type="button" onClick={() => enterKey(undefined)}>
              Cancel
            </button>
            <button type="submit" class="primary">
              Use key
            </button>
          </div>
        </form>
      )}
    </dialog>
  )
}
