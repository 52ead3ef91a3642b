import { Type, type Static } from 'typebox'
import type { Encoder } from '../encoder/encoder.js'
import { responses } from '../schemas.js'
import { Execution, toExecutionBody } from './execution.js'
import type { App, Services } from './services.js'

const Model = Type.Object({
  name: Type.String(),
  family: Type.Enum(['clip', 'siglip'], { description: 'What it was trained by: a softmax over the batch, or a sigmoid for each pair.' }),
  layout: Type.String({ description: "Whose layout the package's files are in." }),
  variant: Type.String({ description: "How the towers' weights are stored." }),
  dimension: Type.Integer(),
  fingerprint: Type.String(),
  image_size: Type.Object({ width: Type.Integer(), height: Type.Integer() }),
  max_tokens: Type.Integer(),
  zero_shot: Type.Object({
    activation: Type.String(),
    logit_scale: Type.Union([Type.Number(), Type.Null()]),
    logit_bias: Type.Union([Type.Number(), Type.Null()]),
    template: Type.String()
  }),
  execution: Execution,
  passed_over: Type.Array(Type.Object({ provider: Type.String(), reason: Type.String() }), { description: 'Preferred execution providers that do not run both towers, and why.' })
})

/** The loaded models. */
export function modelRoutes(app: App, { encoders }: Services): void {
  app.get(
    '/v1/models',
    {
      schema: {
        tags: ['Models'],
        operationId: 'listModels',
        summary: 'List the loaded models',
        description: 'The first is the one that requests mean which name none.',
        response: responses({ 200: Type.Object({ models: Type.Array(Model) }) })
      }
    },
    async () => ({ models: encoders.all.map(toModelBody) })
  )
}

function toModelBody({ model, dimension, execution }: Encoder): Static<typeof Model> {
  const { name, family, layout, variant, fingerprint, preprocessing, text, zeroShot } = model
  const { activation, logitScale = null, logitBias = null, template } = zeroShot
  return {
    name,
    family,
    layout,
    variant,
    dimension,
    fingerprint,
    image_size: preprocessing.crop,
    max_tokens: text.maxTokens,
    zero_shot: { activation, logit_scale: logitScale, logit_bias: logitBias, template },
    execution: toExecutionBody(execution),
    passed_over: execution.passedOver
  }
}
