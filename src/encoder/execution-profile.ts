import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** An execution provider of ONNX Runtime. */
export type ExecutionProvider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'coreml'

/** Of one provider, how many nodes it ran, and how many of them multiply matrices. */
export interface NodeCounts {
  nodes: number
  products: number
}

/** By provider, as the profiler names it. */
export type NodesByProvider = Record<string, NodeCounts>

/** What ran a tower at its warm-up. */
export interface Execution {
  /** The provider that ran most of the products, which are nearly all of a tower's work. */
  provider: ExecutionProvider
  /** Nodes by provider. */
  nodes: Partial<Record<ExecutionProvider, number>>
}

/** ONNX Runtime's names of its providers. */
const PROVIDERS: Record<string, ExecutionProvider> = {
  CPUExecutionProvider: 'cpu',
  CUDAExecutionProvider: 'cuda',
  TensorrtExecutionProvider: 'tensorrt',
  WebGpuExecutionProvider: 'webgpu',
  CoreMLExecutionProvider: 'coreml'
}

/**
 * Operators that multiply matrices, of whatever precision, and the whole graphs that some providers compile
 * into one node.
 */
const PRODUCT = /MatMul|Gemm|Conv|Attention|^TRTKernel|^CoreML/

interface ProfileEvent {
  cat: string
  args?: { provider?: string; op_name?: string }
}

/** Reads the profile that ONNX Runtime wrote into a folder of its own. Throws when there is none. */
export async function readProfile(folder: string): Promise<NodesByProvider> {
  const [file] = await readdir(folder)
  if (!file) throw new Error('ONNX Runtime wrote no profile of the warm-up.')
  const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as ProfileEvent[]
  const counts: NodesByProvider = {}
  for (const { cat, args } of events) {
    if (cat !== 'Node' || !args?.provider) continue
    const count = (counts[args.provider] ??= { nodes: 0, products: 0 })
    count.nodes++
    if (PRODUCT.test(args.op_name ?? '')) count.products++
  }
  return counts
}

/** Which provider took a tower's work. Throws when the profile has no nodes, or of an unknown provider. */
export function executionOf(counts: NodesByProvider): Execution {
  const byProvider = Object.entries(counts).map(([name, count]) => {
    if (!PROVIDERS[name]) throw new Error(`ONNX Runtime ran nodes on an unknown execution provider, ${name}.`)
    return { provider: PROVIDERS[name], ...count }
  })
  if (byProvider.length === 0) throw new Error('The profile of the warm-up holds no nodes.')
  const [first] = byProvider.sort((a, b) => b.products - a.products || b.nodes - a.nodes)
  return {
    provider: first.provider,
    nodes: Object.fromEntries(byProvider.map(({ provider, nodes }) => [provider, nodes]))
  }
}
