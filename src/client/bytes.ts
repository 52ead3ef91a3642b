/** Bytes that go through String.fromCharCode in one call: more would not fit the stack. */
const CHUNK = 0x8000

/** An image as JSON takes it: `{base64}`, of a File, a Blob, or the bytes of a file (a Buffer). */
export async function imageOf(image: Blob | Uint8Array | ArrayBuffer): Promise<{ base64: string }> {
  const bytes =
    image instanceof Uint8Array
      ? image
      : new Uint8Array(image instanceof ArrayBuffer ? image : await image.arrayBuffer())
  let text = ''
  for (let start = 0; start < bytes.length; start += CHUNK)
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK))
  return { base64: btoa(text) }
}

/** The numbers of an embedding that came as base64: float32, little-endian. */
export function embeddingOf(base64: string): Float32Array {
  const text = atob(base64)
  const view = new DataView(new ArrayBuffer(text.length))
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i))
  return Float32Array.from({ length: text.length >> 2 }, (_, i) => view.getFloat32(4 * i, true))
}
