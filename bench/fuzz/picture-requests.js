// Requests that bring a picture of the corpus each, sound in all else.
import fc from 'fast-check'
import { encodeBody } from './bodies.js'
import { OPERATIONS } from './contract.js'
import { KEYS } from './keys.js'
import { COLLECTIONS, MOST_PICTURES } from './shapes.js'
import { picture } from './tokens.js'

const WAYS = [
  {
    id: 'createEmbeddings',
    type: 'application/json',
    valueOf: (image) => ({ input: { image: { base64: image } }, encoding_format: 'base64' })
  },
  {
    id: 'zeroShot',
    type: 'multipart/form-data',
    valueOf: (image) => ({ labels: ['a dog', 'a car'], image: [image] })
  },
  {
    id: 'upsertRecords',
    type: 'application/json',
    valueOf: (image, number) => ({ records: [{ id: `picture-${number % 64}`, image: { base64: image } }] })
  }
]

/** A picture in each of the three ways that one comes in. */
export const pictureRequests = () =>
  fc.tuple(fc.noBias(fc.nat(MOST_PICTURES - 1)), fc.constantFrom(...WAYS)).map(([number, way]) => {
    const operation = OPERATIONS.find(({ id }) => id === way.id)
    return { operation, render: (world) => render(operation, { number, ...way }, world) }
  })

async function render(operation, { number, type, valueOf }, world) {
  const made = await world.picture(number)
  const body = encodeBody(type, valueOf(picture(number), number), {
    style: { lists: 'repeated' },
    pictures: new Map([[String(number), made]])
  })
  return {
    operation,
    picture: made.kind,
    method: operation.method,
    path: operation.path.replace('{collection}', COLLECTIONS.main),
    headers: [
      ['authorization', `Bearer ${KEYS.write}`],
      ['content-type', body.type]
    ],
    bytes: body.bytes,
    way: 'whole'
  }
}
