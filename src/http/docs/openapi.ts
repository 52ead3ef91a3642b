import { buildApp } from '../app.js'
import { readConfig } from '../../config.js'
import type { Services } from '../routes/services.js'

/**
 * The OpenAPI description as YAML, as it stands in openapi.yaml. It is made of schemas alone: no handler
 * runs.
 */
export async function openapiYaml(): Promise<string> {
  const app = await buildApp({ config: readConfig({}) } as Services)
  await app.ready()
  return app.swagger({ yaml: true })
}
