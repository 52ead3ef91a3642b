import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  defaultTextMapGetter,
  trace,
  type Context,
  type Tracer
} from '@opentelemetry/api'
import { ExportResultCode, W3CTraceContextPropagator, type ExportResult } from '@opentelemetry/core'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes
} from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter
} from '@opentelemetry/sdk-trace-base'
import type { RequestTrace, TracedRequest, Traces } from './traces.js'

/** Steps of one request that become spans; those of an ingest without end are counted from there on. */
const MAX_STEPS = 256

const propagator = new W3CTraceContextPropagator()

/**
 * Traces sent in batches over OTLP/HTTP. Sampling, batching, the endpoint and its headers are what OTEL_*
 * says, read by OpenTelemetry's own SDK. Throws an Error for a protocol or an exporter that is not spoken
 * here.
 */
export async function startTraces(
  env: NodeJS.ProcessEnv,
  onProblem: (problem: string) => void
): Promise<Traces> {
  const exporter = watch(await createExporter(env), onProblem)
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'semblance' }))
    .merge(detectResources({ detectors: [envDetector] }))
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] })
  const tracer = provider.getTracer('semblance')
  return {
    begin: (request) => beginTrace(tracer, request),
    close: async (withinMs) => {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)))
      await Promise.race([provider.shutdown().catch(() => {}), late])
      clearTimeout(timer)
    }
  }
}

async function createExporter(env: NodeJS.ProcessEnv): Promise<SpanExporter> {
  const kind = env.OTEL_TRACES_EXPORTER?.trim() || 'otlp'
  if (kind !== 'otlp') throw new Error(`OTEL_TRACES_EXPORTER must be otlp or none, not '${kind}'.`)
  const protocol =
    (env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL)?.trim() || 'http/protobuf'
  if (protocol === 'http/protobuf')
    return new (await import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter()
  if (protocol === 'http/json')
    return new (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter()
  throw new Error(`OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or http/json, not '${protocol}'.`)
}

/**
 * Says once that spans do not arrive, and once that they do again: a collector that is away must not flood
 * the log.
 */
function watch(exporter: SpanExporter, onProblem: (problem: string) => void): SpanExporter {
  let fails = false
  const note = ({ code, error }: ExportResult) => {
    const failed = code !== ExportResultCode.SUCCESS
    if (failed && !fails)
      onProblem(
        `Traces can't be sent and are dropped until the collector answers: ${error?.message ?? 'no answer'}`
      )
    if (!failed && fails) onProblem('Traces can be sent again.')
    fails = failed
  }
  return {
    export: (spans: ReadableSpan[], done) =>
      exporter.export(spans, (result) => {
        note(result)
        done(result)
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown()
  }
}

function beginTrace(tracer: Tracer, { id, method, route, path, headers }: TracedRequest): RequestTrace {
  // One anchor a request: its spans lie right to each other, and the clock of a process that runs for weeks
  // is still the system's.
  const epoch = Date.now() - performance.now()
  const caller: Context = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  const attributes = {
    'http.request.method': method,
    'url.path': path,
    'url.scheme': 'http',
    ...(route && { 'http.route': route }),
    'semblance.request_id': id
  }
  const span = tracer.startSpan(
    route ? `${method} ${route}` : method,
    { kind: SpanKind.SERVER, startTime: epoch + performance.now(), attributes },
    caller
  )
  const inside = trace.setSpan(caller, span)
  const { traceId, spanId } = span.spanContext()
  let steps = 0
  let ended = false
  return {
    traceId,
    spanId,
    step: ({ stage, at, ms, attributes: own }) => {
      // Work that others wait for as well may continue when this request is over.
      if (ended || !span.isRecording() || ++steps > MAX_STEPS) return
      tracer.startSpan(stage, { startTime: epoch + at, attributes: own }, inside).end(epoch + at + ms)
    },
    fail: ({ code, statusCode }) => {
      span.setAttribute('error.type', code)
      // By the conventions for servers what the caller can fix is no error of the span.
      if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: code })
    },
    end: (status) => {
      ended = true
      span.setAttribute('http.response.status_code', status)
      if (steps > MAX_STEPS) span.setAttribute('semblance.steps_left_out', steps - MAX_STEPS)
      span.end(epoch + performance.now())
    }
  }
}
