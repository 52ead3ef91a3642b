// Writes whose acknowledgements are remembered, on ids that nothing else of a run uses.
import { COLLECTIONS } from './shapes.js'

const IDS_EACH = 12
const path = `/v1/collections/${COLLECTIONS.main}/records`

/**
 * The writes of one lane of a run. Of each id it knows what may be stored: one text where a write or delete
 * was acknowledged, two where the answer was lost; undefined stands for no record.
 */
export function openLedger({ lane, random, call }) {
  const states = new Map(Array.from({ length: IDS_EACH }, (_, n) => [`kept-${lane}-${n}`, [undefined]]))
  const losses = []
  let written = 0
  const newText = () => `kept text ${lane} ${++written}`
  const pick = (count) =>
    Array.from(new Set(Array.from({ length: count }, () => random.pick([...states.keys()]))))
  const record = (id) => ({ id, text: newText(), metadata: { kept: true } })

  /** Takes an acknowledgement of each id: 'yes', 'no', or something else where it is not known. */
  const settle = (id, text, answer) => {
    if (answer === 'yes') states.set(id, [text])
    else if (answer !== 'no') states.set(id, [...states.get(id), text])
  }
  const outcome = (status) => (status === undefined || status === 504 ? 'lost' : status < 300 ? 'yes' : 'no')

  const writes = {
    json: async () => {
      const records = pick(3).map(record)
      const { status, body } = await call('POST', path, { records })
      for (const [i, { id, text }] of records.entries())
        settle(
          id,
          text,
          status === 200 ? (body.results[i].status === 'failed' ? 'no' : 'yes') : outcome(status)
        )
    },
    form: async () => {
      const { id, text, metadata } = record(pick(1)[0])
      const form = new FormData()
      form.append('id', id)
      form.append('text', text)
      form.append('metadata', JSON.stringify(metadata))
      settle(id, text, outcome((await call('POST', path, form)).status))
    },
    bulk: async () => {
      const records = pick(4).map(record)
      const { status, text } = await call(
        'POST',
        `${path}/bulk`,
        `${records.map((each) => JSON.stringify(each)).join('\nnot json\n')}\n`
      )
      const lines = (text ?? '').split('\n').flatMap((line) => (line.trim() ? [JSON.parse(line)] : []))
      for (const each of records) {
        const line = lines.find(({ id }) => id === each.id)
        settle(
          each.id,
          each.text,
          line ? (line.status === 'failed' ? 'no' : 'yes') : status >= 400 ? 'no' : 'lost'
        )
      }
    },
    patch: async () => {
      const [id] = pick(1)
      if (states.get(id).includes(undefined)) return
      const text = newText()
      settle(id, text, outcome((await call('PATCH', `${path}/${id}`, { text })).status))
    },
    delete: async () => {
      const [id] = pick(1)
      const { status } = await call('DELETE', `${path}/${id}`)
      if (status === 404 && !states.get(id).includes(undefined))
        losses.push(`${id} was not there to be deleted`)
      settle(id, undefined, status === 404 ? 'yes' : outcome(status))
    },
    deleteSeveral: async () => {
      const ids = pick(3)
      const { status } = await call('POST', `${path}/delete`, { ids })
      for (const id of ids) settle(id, undefined, outcome(status))
    }
  }
  return {
    /** One write of any kind. */
    write: () =>
      writes[random.pick(['json', 'json', 'form', 'bulk', 'patch', 'patch', 'delete', 'deleteSeveral'])](),
    /** What may be stored, by id. */
    states,
    /** What was found missing on the way. */
    losses
  }
}

/**
 * What is not as was acknowledged: records that are lost, that hold something else, or that should not be
 * there.
 */
export async function findLosses(ledgers, call) {
  const losses = ledgers.flatMap((ledger) => ledger.losses)
  const states = new Map(ledgers.flatMap(({ states: own }) => [...own]))
  for (const [id, allowed] of states) {
    const { status, body } = await call('GET', `${path}/${id}`)
    const text = status === 200 ? body.text : undefined
    if (status !== 200 && status !== 404) losses.push(`${id}: ${status}`)
    else if (!allowed.includes(text))
      losses.push(`${id} holds ${JSON.stringify(text)} and not ${JSON.stringify(allowed)}`)
    else states.set(id, text)
  }
  const search = {
    query: { text: 'kept text' },
    target: 'text',
    filter: { kept: true },
    limit: 1000,
    exact: true
  }
  const { body } = await call('POST', `/v1/collections/${COLLECTIONS.main}/search`, search)
  const found = new Set((body.matches ?? []).map(({ id }) => id))
  for (const [id, text] of states)
    if (found.has(id) !== (text !== undefined))
      losses.push(`${id} is ${found.has(id) ? 'a ghost in' : 'missing from'} a search`)
  for (const id of found) if (!states.has(id)) losses.push(`${id} is a ghost in a search`)
  return { losses, ids: states.size }
}
