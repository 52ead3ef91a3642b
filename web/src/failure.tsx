import { SemblanceError } from '../../src/client/semblance-error.js'
import { apiKey, askForKey, messageOf } from './connection.js'
import { Problem } from './problem.js'

/**
 * What came of a call that failed. A key that is missing, or whose scope is too narrow, can be changed for
 * another one on the spot.
 */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const status = error instanceof SemblanceError ? error.status : 0
  const isRefused = status === 401 || status === 403
  // What is to be fixed first would fail again as it is.
  const isWorthAnotherTry = status < 400 || status === 429 || status >= 500
  const changeKey = async () => {
    if (await askForKey(messageOf(error))) retry?.()
  }
  return (
    <Problem message={messageOf(error)} retry={isWorthAnotherTry ? retry : undefined}>
      {isRefused && (
        <button type="button" onClick={() => void changeKey()}>
          {apiKey.value === '' ? 'Enter a key' : 'Use another key'}
        </button>
      )}
    </Problem>
  )
}
