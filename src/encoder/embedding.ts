/** An L2-normalised vector; the dot product of two is their cosine. */
export type Embedding = Float32Array

/** The mean of embeddings of one dimension, L2-normalised (CLIP's prompt ensembling). */
export function meanEmbedding(embeddings: Embedding[]): Embedding {
  const sum = new Float32Array(embeddings[0].length)
  for (const embedding of embeddings) for (let d = 0; d < sum.length; d++) sum[d] += embedding[d]
  return normalise(sum)
}

/** Divides a vector by its L2 norm, in place; a zero vector stays as it is. */
export function normalise(vector: Float32Array): Embedding {
  const norm = Math.sqrt(cosine(vector, vector))
  if (norm > 0) for (let d = 0; d < vector.length; d++) vector[d] /= norm
  return vector
}

/** The dot product of two embeddings of one dimension: their cosine, -1 to 1. */
export function cosine(a: Embedding, b: Embedding): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d]
  return sum
}
