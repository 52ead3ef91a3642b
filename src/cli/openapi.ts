import { openapiYaml } from '../http/docs/openapi.js'

process.stdout.write(await openapiYaml())
