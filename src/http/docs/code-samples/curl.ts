import { addressOf, type SampleBody, type SampleCall } from './sample-call.js'

/** A call as a command for a POSIX shell. */
export function curlSample(call: SampleCall): string {
  const { method, headers, body, answer, withKey } = call
  const implied = body ? 'POST' : 'GET'
  const parts = [
    `curl${answer.kind === 'stream' ? ' -N' : ''}${method === implied ? '' : ` -X ${method}`} ` +
      `${word(addressOf(call))}`,
    ...(withKey ? ['-H "Authorization: Bearer $SEMBLANCE_API_KEY"'] : []),
    ...Object.entries(headers).map(([name, value]) => `-H ${word(`${name}: ${value}`)}`),
    ...(body ? bodyParts(body) : []),
    ...(answer.kind === 'file' ? [`-o ${word(answer.name)}`] : [])
  ]
  return parts.join(' \\\n  ')
}

function bodyParts(body: SampleBody): string[] {
  if (body.kind === 'form')
    return [
      ...body.files.map(([name, path]) => `-F ${word(`${name}=@${fileName(path)}`)}`),
      ...body.fields.map(([name, value]) => `--form-string ${word(`${name}=${value}`)}`)
    ]
  const type = (name: string) => `-H ${word(`Content-Type: ${name}`)}`
  if (body.kind === 'json') return [type('application/json'), `-d ${word(jsonText(body.value))}`]
  if (body.kind === 'file') return [type(body.type), `--data-binary ${word(`@${body.path}`)}`]
  return [type(body.type), `--data-raw ${word(body.text)}`]
}

/** Longest JSON that stays on its line, in characters. */
const LINE = 100

/** JSON to be read: on one line while that is short. */
function jsonText(value: unknown): string {
  const flat = JSON.stringify(value)
  return flat.length <= LINE ? flat : JSON.stringify(value, null, 2)
}

/** A path in a form's part, where some characters mean something else to curl. */
function fileName(path: string): string {
  return /[;,"\\]/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path
}

/** A text as one word of the shell. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
