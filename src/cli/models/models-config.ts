import { resolve } from 'node:path'
import { readModelsConfig, type ModelsConfig } from '../../config.js'
import { host } from '../host.js'

/** What the environment says, with the folder that the command line names, as an absolute path. */
export function modelsConfig({ modelsDir }: { modelsDir?: string }): ModelsConfig {
  const config = readModelsConfig(host().env)
  return { ...config, MODELS_DIR: resolve(modelsDir ?? config.MODELS_DIR) }
}
