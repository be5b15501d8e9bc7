import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"
import { isIP } from "node:net"

export interface Certificate {
  /** PEM of the authority; what a client has to trust. */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/**
 * Makes an authority and a server certificate signed by it, on P-256 unless the server's key has to be an RSA one. The
 * authority's key is thrown away.
 */
export function makeCertificate(names: readonly string[], keyType: "ec" | "rsa" = "ec"): Certificate {
  const ca = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const server =
    keyType === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 })
  const issuer = name(`Headrace test authority ${randomBytes(4).toString("hex")}`)
  const authority = { issuer, subject: issuer, key: ca.publicKey, signer: ca.privateKey }
  const leaf = { issuer, subject: name(names[0] ?? "localhost"), key: server.publicKey, signer: ca.privateKey }
  return {
    ca: x509({
      ...authority,
      extensions: [
        extension("2.5.29.19", sequence(der(0x01, [0xff])), true),
        extension("2.5.29.15", der(0x03, [0x02, 0x04]), true),
        extension("2.5.29.14", der(0x04, keyId(ca.publicKey))),
      ],
    }),
    certificate: x509({
      ...leaf,
      extensions: [
        extension("2.5.29.19", sequence(), true),
        // An RSA key may also encrypt the session's, as TLS without Diffie-Hellman wants it.
        extension("2.5.29.15", der(0x03, keyType === "ec" ? [0x07, 0x80] : [0x05, 0xa0]), true),
        extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1"))),
        extension("2.5.29.17", sequence(...names.map(alternativeName))),
        extension("2.5.29.35", sequence(der(0x80, keyId(ca.publicKey)))),
      ],
    }),
    key: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  }
}

interface Request {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly key: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Uint8Array[]
}

/** RFC 5280, section 4.1. */
function x509(request: Request): string {
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"))
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [0x01, ...randomBytes(15)]),
    algorithm,
    request.issuer,
    sequence(utcTime(-1), utcTime(3650)),
    request.subject,
    request.key.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...request.extensions)),
  )
  const signature = sign("sha256", body, request.signer)
  const text = Buffer.from(sequence(body, algorithm, der(0x03, [0, ...signature]))).toString("base64")
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}/g, "$&\n").trim()}\n-----END CERTIFICATE-----\n`
}

function extension(id: string, value: Uint8Array, critical = false): Uint8Array {
  return sequence(oid(id), ...(critical ? [der(0x01, [0xff])] : []), der(0x04, value))
}

function alternativeName(text: string): Uint8Array {
  if (isIP(text) === 4) return der(0x87, text.split(".").map(Number))
  return der(0x82, Buffer.from(text, "latin1"))
}

function name(common: string): Uint8Array {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, Buffer.from(common)))))
}

function keyId(key: KeyObject): Uint8Array {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
}

function utcTime(days: number): Uint8Array {
  const at = new Date(Date.now() + days * 86_400_000)
  return der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`))
}

function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number)
  return der(0x06, [first * 40 + second, ...rest.flatMap(base128)])
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, content: ArrayLike<number>): Uint8Array {
  const bytes = Uint8Array.from(content)
  const size = bytes.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Uint8Array.from([tag, ...length, ...bytes])
}
