import { curlSample } from './curl.js'
import { exampleCalls } from './example-calls.js'
import type { CodeSample, Operation } from './operation.js'
import { pythonSample } from './python.js'
import type { SampleCall } from './sample-call.js'
import { typescriptSample } from './typescript.js'

/** The languages that samples come in. */
export const LANGUAGES: { lang: string; label: string; write: (call: SampleCall) => string }[] = [
  { lang: 'Shell', label: 'curl', write: curlSample },
  { lang: 'TypeScript', label: 'TypeScript', write: typescriptSample },
  { lang: 'Python', label: 'Python', write: pythonSample }
]

const BODIES = { json: 'JSON', form: 'form', text: 'lines', file: 'file' }

/** Code of an operation's examples in every language, for each kind of body that it takes. */
export function codeSamples(operation: Operation, place: { method: string; path: string }): CodeSample[] {
  const calls = exampleCalls(operation, place)
  return calls.flatMap((call) =>
    LANGUAGES.map(({ lang, label, write }) => ({
      lang,
      label: calls.length > 1 ? `${label} (${BODIES[call.body!.kind]})` : label,
      source: write(call)
    }))
  )
}
