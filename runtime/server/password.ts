import * as crypto from "node:crypto"
import { Effect, Layer, Semaphore } from "effect"
import { PasswordHashing } from "../../core/server/access/password-hashing.ts"
import { isSameSecret } from "../../core/server/access/same-secret.ts"
import { refuse } from "../../core/server/request-error.ts"

/** The first choice of OWASP's Password Storage Cheat Sheet for argon2id with one lane: 19 MiB, two passes. */
const MEMORY_KIB = 19_456
const PASSES = 2
const PREFIX = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$`

/** Passwords by whatever this runtime has: Bun's own functions, or argon2 of `node:crypto`. */
export const passwordHashingLayer: Layer.Layer<PasswordHashing> = Layer.sync(PasswordHashing, () =>
  makeHashing(algorithm()),
)

export interface Algorithm {
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
}

export function makeHashing(algorithm: Algorithm | undefined): PasswordHashing["Service"] {
  // Each takes a processor, 19 MiB and some 50 ms; what a flood of them would take is bounded.
  const turns = Semaphore.makeUnsafe(AT_ONCE)
  let waiting = 0
  const inTurn = <A>(work: (algorithm: Algorithm) => Promise<A>) =>
    Effect.suspend(() => {
      if (algorithm === undefined)
        return Effect.fail(
          refuse("unavailable", "This runtime cannot keep passwords: it has no argon2", {
            hint: "Run the server with Bun, or with Node.js 24.7 or later",
          }),
        )
      if (waiting >= MOST_WAITING)
        return Effect.fail(refuse("unavailable", "Too many people sign in just now", { retryAfterMs: 2000 }))
      waiting++
      return Effect.promise(() => work(algorithm)).pipe(
        turns.withPermits(1),
        Effect.ensuring(Effect.sync(() => void waiting--)),
      )
    })
  return {
    hash: (password) => inTurn(({ hash }) => hash(password)),
    verify: (password, hash) => inTurn(({ verify }) => verify(password, hash)),
    isOld: (hash) => !hash.startsWith(PREFIX),
  }
}

function algorithm(): Algorithm | undefined {
  if (typeof Bun !== "undefined") return bunPassword
  return typeof crypto.argon2 === "function" ? nodeArgon2 : undefined
}

export const bunPassword: Algorithm = {
  hash: (password) => Bun.password.hash(password, { algorithm: "argon2id", memoryCost: MEMORY_KIB, timeCost: PASSES }),
  verify: (password, hash) => Bun.password.verify(password, hash),
}

export const nodeArgon2: Algorithm = {
  async hash(password) {
    const salt = crypto.randomBytes(16)
    return `${PREFIX}${base64(salt)}$${base64(await derive(password, salt, MEMORY_KIB, PASSES, 1, 32))}`
  },
  async verify(password, hash) {
    const [, memory, passes, lanes, salt = "", key = ""] =
      /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash) ?? []
    if (memory === undefined) return false
    const expected = Buffer.from(key, "base64")
    const bytes = Buffer.from(salt, "base64")
    const found = await derive(password, bytes, Number(memory), Number(passes), Number(lanes), expected.length)
    return isSameSecret(base64(found), base64(expected))
  },
}

function derive(
  message: string,
  nonce: Buffer,
  memory: number,
  passes: number,
  parallelism: number,
  tagLength: number,
) {
  return new Promise<Buffer>((resolve, reject) =>
    crypto.argon2("argon2id", { message, nonce, memory, passes, parallelism, tagLength }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  )
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "")
}

const AT_ONCE = 2
const MOST_WAITING = 50
