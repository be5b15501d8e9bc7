import { Cause, Effect, Layer, Logger } from "effect"
import { FetchHttpClient } from "effect/http"
import { OtlpExporter, OtlpLogger, OtlpSerialization, OtlpTracer } from "effect/observability"
import packageJson from "../../package.json" with { type: "json" }

export interface TelemetryOptions {
  readonly otlpUrl: string | undefined
  readonly mask: (text: string) => string
}

/** Sends traces and logs by OpenTelemetry's protocol, where a collector is named. */
export function telemetryLayer({ otlpUrl, mask }: TelemetryOptions): Layer.Layer<never> {
  if (otlpUrl === undefined) return Layer.empty
  const at = otlpUrl.replace(/\/+$/, "")
  const resource = { serviceName: "headrace", serviceVersion: packageJson.version }
  const logger = Effect.map(OtlpLogger.make({ url: `${at}/v1/logs`, resource }), (sending) => masked(sending, mask))
  return Layer.merge(
    OtlpTracer.layer({ url: `${at}/v1/traces`, resource }),
    Logger.layer([logger], { mergeWithExisting: true }),
  ).pipe(
    Layer.provide(OtlpExporter.layerFlusher),
    Layer.provide(OtlpSerialization.layerJson),
    Layer.provide(FetchHttpClient.layer),
  )
}

/** A cause is told as text, so that it goes through the mask too. */
function masked(logger: Logger.Logger<unknown, void>, mask: (text: string) => string): Logger.Logger<unknown, void> {
  return Logger.make((line) => {
    const parts = Array.isArray(line.message) ? line.message : [line.message]
    const told = line.cause.reasons.length === 0 ? parts : [...parts, Cause.pretty(line.cause)]
    const texts = told.map((part) => mask(typeof part === "string" ? part : (JSON.stringify(part) ?? String(part))))
    logger.log({ ...line, message: texts, cause: Cause.empty })
  })
}
