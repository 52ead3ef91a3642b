import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import t from 'tap'
import { copyBuffers } from '../../../src/threading/hand-over.js'

t.test('large buffers are copied, and all else is kept as it is', async (t) => {
  const bytes = Buffer.alloc(20_000, 7)
  const vector = Float32Array.from({ length: 8192 }, (_, i) => i)
  const small = Float32Array.of(1, 2)
  const flag = new Int32Array(new SharedArrayBuffer(4))
  const value = { records: [{ id: 'a', image: { bytes }, embeddings: { image: vector, text: small } }], flag }
  const { copy, memory } = await copyBuffers(value)
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(copy, memory)
  const received = receiveMessageOnPort(port2)!.message as typeof value
  t.same(received.records, [
    { id: 'a', image: { bytes: new Uint8Array(bytes) }, embeddings: { image: vector, text: small } }
  ])
  t.equal(received.flag.buffer instanceof SharedArrayBuffer, true)
  t.equal(memory.length, 2)
  t.equal(copy.records[0].image.bytes.length, 0, 'the copy went over')
  t.equal(value.records[0].image.bytes.length, 20_000, 'and the sender keeps its own')
  t.equal(value.records[0].embeddings.image.at(-1), 8191)
  port1.close()
})
