/** A smooth function of many variables: writes its gradient, and returns its value. */
export type Objective = (at: Float64Array, gradient: Float64Array) => number

export interface MinimiseOptions {
  /** Largest entry of the gradient, in absolute value, at which a minimum is taken as found. */
  tolerance?: number
  maxIterations?: number
}

export interface Minimum {
  at: Float64Array
  value: number
  iterations: number
  converged: boolean
}

/** Steps whose curvature is remembered. */
const HISTORY = 10
/** Of the Wolfe conditions: how much a step must gain, and how much of the slope it may leave. */
const [DECREASE, CURVATURE] = [1e-4, 0.9]
const MAX_TRIALS = 40

interface Point {
  at: Float64Array
  gradient: Float64Array
  value: number
}

interface Curvature {
  step: Float64Array
  change: Float64Array
  /** Their dot product, which is positive. */
  product: number
}

/**
 * Minimises a smooth convex function from a start, by limited-memory BFGS (Nocedal and Wright 2006,
 * algorithms 7.4 and 7.5) with a bisecting line search for the weak Wolfe conditions (Lewis and Overton
 * 2013). `converged` is false where rounding or `maxIterations` ended it first.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-6, maxIterations = 1000 }: MinimiseOptions = {}
): Minimum {
  const evaluate = (at: Float64Array): Point => {
    const gradient = new Float64Array(at.length)
    return { at, gradient, value: objective(at, gradient) }
  }
  const history: Curvature[] = []
  let point = evaluate(start.slice())
  let iterations = 0
  while (largest(point.gradient) > tolerance && iterations < maxIterations) {
    const next = search(evaluate, point, direction(point.gradient, history))
    if (!next) break
    const curvature = between(point, next)
    if (curvature.product > 0) history.push(curvature)
    if (history.length > HISTORY) history.shift()
    point = next
    iterations++
  }
  return { at: point.at, value: point.value, iterations, converged: largest(point.gradient) <= tolerance }
}

/** The gradient through the inverse Hessian that the last steps tell of, downwards. */
function direction(gradient: Float64Array, history: Curvature[]): Float64Array {
  const result = gradient.map((slope) => -slope)
  const newestFirst = history.toReversed()
  const weights = newestFirst.map(({ step, change, product }) => {
    const weight = dot(step, result) / product
    add(result, change, -weight)
    return weight
  })
  const last = history.at(-1)
  // Without a step behind it, one of length 1 at most.
  const scale = last
    ? last.product / dot(last.change, last.change)
    : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)))
  for (let i = 0; i < result.length; i++) result[i] *= scale
  history.forEach(({ step, change, product }, i) =>
    add(result, step, weights[history.length - 1 - i] - dot(change, result) / product)
  )
  return result
}

/** A point along a direction that meets the weak Wolfe conditions; undefined where none is found. */
function search(evaluate: (at: Float64Array) => Point, from: Point, along: Float64Array): Point | undefined {
  const slope = dot(from.gradient, along)
  if (!(slope < 0)) return undefined
  let [low, high, length] = [0, Infinity, 1]
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    const at = from.at.slice()
    add(at, along, length)
    const point = evaluate(at)
    if (!(point.value <= from.value + DECREASE * length * slope)) high = length
    else if (dot(point.gradient, along) < CURVATURE * slope) low = length
    else return point
    length = high === Infinity ? 2 * length : (low + high) / 2
  }
  return undefined
}

function between(from: Point, to: Point): Curvature {
  const step = to.at.map((value, i) => value - from.at[i])
  const change = to.gradient.map((slope, i) => slope - from.gradient[i])
  return { step, change, product: dot(step, change) }
}

function add(target: Float64Array, other: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * other[i]
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}
