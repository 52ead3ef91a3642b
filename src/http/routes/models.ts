import { Type, type Static } from 'typebox'
import type { Encoder } from '../../encoder/encoder.js'
import { responses } from '../schemas.js'
import { Execution, toExecutionBody } from './execution.js'
import type { App, Services } from './services.js'

const Model = Type.Object({
  id: Type.String({ description: "Same as `name`, the field that OpenAI's clients use." }),
  object: Type.Literal('model'),
  created: Type.Integer({ description: 'When the service loaded its models, in seconds since 1970.' }),
  owned_by: Type.Literal('semblance'),
  name: Type.String(),
  family: Type.Enum(['clip', 'siglip'], {
    description: 'Training loss: a softmax over the batch, or a sigmoid for each pair.'
  }),
  layout: Type.String({ description: "Layout of the package's files." }),
  variant: Type.String({ description: "Precision of the towers' weights." }),
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
  passed_over: Type.Array(Type.Object({ provider: Type.String(), reason: Type.String() }), {
    description: 'Preferred execution providers that do not run both towers, with the reason.'
  })
})

/** The loaded models. */
export function modelRoutes(app: App, { encoders }: Services): void {
  const created = Math.floor(Date.now() / 1000)
  const toBody = (encoder: Encoder) => toModelBody(encoder, created)
  app.get(
    '/v1/models',
    {
      schema: {
        tags: ['Models'],
        operationId: 'listModels',
        summary: 'List the loaded models',
        description:
          'The first is the default of requests that name no model. `data` is the same list, where ' +
          "OpenAI's clients expect it.",
        response: responses({
          200: Type.Object({
            object: Type.Literal('list'),
            data: Type.Array(Model),
            models: Type.Array(Model)
          })
        })
      }
    },
    async () => {
      const models = encoders.all.map(toBody)
      return { object: 'list' as const, data: models, models }
    }
  )
  app.get(
    '/v1/models/:model',
    {
      schema: {
        tags: ['Models'],
        operationId: 'getModel',
        summary: 'Show a loaded model',
        params: Type.Object({
          model: Type.String({ minLength: 1, description: 'Name of a model.', examples: ['mini'] })
        }),
        response: responses({ 200: Model })
      }
    },
    async ({ params }) => toBody(encoders.get(params.model))
  )
}

function toModelBody({ model, dimension, execution }: Encoder, created: number): Static<typeof Model> {
  const { name, family, layout, variant, fingerprint, preprocessing, text, zeroShot } = model
  const { activation, logitScale = null, logitBias = null, template } = zeroShot
  return {
    id: name,
    object: 'model',
    created,
    owned_by: 'semblance',
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
