import { Type, type Static } from 'typebox'
import type { ExecutionReport } from '../../encoder/start-towers.js'

const Tower = Type.Object({
  provider: Type.String({ description: 'The execution provider that does most of the work.' }),
  nodes: Type.Record(Type.String(), Type.Integer(), {
    description: 'Nodes of the graph by the provider that ran them.'
  })
})

/** Which execution providers were asked for, and which run. */
export const Execution = Type.Object(
  {
    requested: Type.Array(Type.String(), { description: 'EXECUTION_PROVIDERS, in order of preference.' }),
    preferred: Type.Boolean({ description: 'Whether the first of them runs both towers.' }),
    image: Tower,
    text: Tower
  },
  { description: "Execution providers, from a profile of the towers' warm-up." }
)

/** An execution report as responses show it. */
export function toExecutionBody({
  requested,
  towers: { image, text },
  passedOver
}: ExecutionReport): Static<typeof Execution> {
  // A record's undefined values are not serialised.
  return {
    requested,
    preferred: passedOver.length === 0,
    image: image as Static<typeof Tower>,
    text: text as Static<typeof Tower>
  }
}
