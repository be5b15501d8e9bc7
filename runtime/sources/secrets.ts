import { Context, Layer } from "effect"
import { makeSecretMask, type SecretMask } from "../../core/host/secret-mask.ts"

/** Everything secret that this process has learnt, so that no message can carry it. */
export class Secrets extends Context.Service<Secrets, SecretMask>()("runtime/sources/Secrets") {
  static readonly layer = Layer.sync(Secrets, () => makeSecretMask())
}

/** A value without secrets, which messages of servers may repeat. */
export function maskedJson<T>(value: T, mask: (text: string) => string): T {
  if (value === undefined) return value
  const text = JSON.stringify(value, (_, each: unknown) => (typeof each === "string" ? mask(each) : each))
  return JSON.parse(text) as T // of the same shape
}

export { makeSecretMask as makeSecrets }
