import { openapiYaml } from '../openapi.js'

process.stdout.write(await openapiYaml())
