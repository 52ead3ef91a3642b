import { Type } from 'typebox'
import { responses } from '../schemas.js'
import type { App, Services } from './services.js'

const Model = Type.Object({
  name: Type.String(),
  family: Type.String(),
  dimension: Type.Integer(),
  fingerprint: Type.String(),
  image_size: Type.Object({ width: Type.Integer(), height: Type.Integer() }),
  max_tokens: Type.Integer(),
  zero_shot: Type.Object({
    activation: Type.String(),
    logit_scale: Type.Union([Type.Number(), Type.Null()]),
    logit_bias: Type.Union([Type.Number(), Type.Null()]),
    template: Type.String()
  })
})

/** The loaded model. */
export function modelRoutes(app: App, { encoder }: Services): void {
  app.get(
    '/v1/models',
    { schema: { tags: ['Models'], operationId: 'listModels', summary: 'List the loaded models', response: responses({ 200: Type.Object({ models: Type.Array(Model) }) }) } },
    async () => {
      const { name, family, fingerprint, preprocessing, text, zeroShot } = encoder.model
      const { activation, logitScale = null, logitBias = null, template } = zeroShot
      return {
        models: [
          {
            name,
            family,
            dimension: encoder.dimension,
            fingerprint,
            image_size: preprocessing.crop,
            max_tokens: text.maxTokens,
            zero_shot: { activation, logit_scale: logitScale, logit_bias: logitBias, template }
          }
        ]
      }
    }
  )
}
