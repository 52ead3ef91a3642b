import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readProfile, type NodesByProvider, type ExecutionProvider } from './execution-profile.js'

export interface SessionSettings {
  /** Intra-op threads of ONNX Runtime. */
  threads: number
  /**
   * In order of preference. One whose libraries are missing fails the session; one that the build lacks is
   * passed over.
   */
  executionProviders: ExecutionProvider[]
  /** The GPU that cuda and tensorrt use. */
  deviceId: number
}

/** One input or output of a graph; an axis is a number where the graph insists on it, or else a name. */
export interface Port {
  name: string
  type: string
  shape: (number | string)[]
}

/** Values of a tensor, row by row. float16 values are their bits. */
export interface Values {
  type: 'float32' | 'float16' | 'uint8' | 'int32' | 'int64'
  data: Float32Array | Uint16Array | Uint8Array | Int32Array | BigInt64Array
  shape: number[]
}

/** An ONNX graph that is ready to run. Only this file knows ONNX Runtime. */
export interface Session {
  inputs: Port[]
  outputs: Port[]
  /**
   * Runs the graph; it blocks the calling thread. What it answers may lie in ONNX Runtime's own memory: copy
   * it.
   */
  run(
    inputs: Record<string, Values>
  ): Promise<Record<string, { type: string; data: ArrayBufferView; shape: readonly number[] }>>
  /** The nodes that were run since the session was opened, by provider; ends the profiling. */
  endProfile(): Promise<NodesByProvider>
  release(): Promise<void>
}

/**
 * The execution providers that this build of ONNX Runtime knows; those not bundled need libraries of their
 * own.
 */
export function supportedProviders(): { name: string; bundled: boolean }[] {
  return listSupportedBackends()
}

/** Opens a graph with the profiler on. Throws when it can't be read, or a provider can't be loaded. */
export async function openSession(
  path: string,
  { threads, executionProviders, deviceId }: SessionSettings
): Promise<Session> {
  const profileFolder = await mkdtemp(join(tmpdir(), 'semblance-profile-'))
  const removeProfile = () => rm(profileFolder, { recursive: true, force: true })
  const session = await InferenceSession.create(path, {
    executionProviders: executionProviders.map((name) =>
      name === 'cuda' || name === 'tensorrt' ? { name, deviceId } : name
    ),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: join(profileFolder, 'run')
  }).catch(async (error) => {
    await removeProfile()
    throw error
  })
  return {
    inputs: session.inputMetadata.map(toPort),
    outputs: session.outputMetadata.map(toPort),
    run: async (inputs) => {
      const outputs = await session.run(
        Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, toTensor(values)]))
      )
      return Object.fromEntries(
        Object.entries(outputs).map(([name, { type, data, dims }]) => [
          name,
          { type, data: data as ArrayBufferView, shape: dims }
        ])
      )
    },
    endProfile: async () => {
      session.endProfiling()
      return readProfile(profileFolder).finally(removeProfile)
    },
    release: async () => {
      await session.release()
      // Of one that is given up before its profile was read.
      await removeProfile()
    }
  }
}

function toPort(metadata: InferenceSession.ValueMetadata): Port {
  return metadata.isTensor
    ? { name: metadata.name, type: metadata.type, shape: [...metadata.shape] }
    : { name: metadata.name, type: 'none', shape: [] }
}

function toTensor({ type, data, shape }: Values): Tensor {
  return new Tensor(type, data as never, shape)
}
