import { expect, test } from "bun:test"
import { decodeChunks, type Encoding, encodings, makeEncoder, showBytes } from "./csv-encoding.ts"

async function decode(chunks: readonly Uint8Array[], encoding: Encoding | "auto"): Promise<Uint8Array> {
  const decoded: Uint8Array[] = []
  const source = (async function* () {
    yield* chunks
  })()
  for await (const chunk of decodeChunks(source, encoding, (seen) => new Error(`seen ${seen}`)))
    decoded.push(chunk.slice())
  return Buffer.concat(decoded)
}

function encode(text: string, encoding: Encoding): Uint8Array | number {
  const encoder = makeEncoder(encoding)
  if (encoder === undefined) return new TextEncoder().encode(text)
  const target = new Uint8Array(text.length * 4)
  let at = 0
  for (const character of text) {
    at = encoder(character.codePointAt(0)!, target, at)
    if (at < 0) return character.codePointAt(0)!
  }
  return target.slice(0, at)
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  return chunks
}

const texts: Record<Encoding, string> = {
  "utf-8": "añ北😀",
  gbk: "a€北京，一丁丂狛",
  gb18030: "a€北京😀ȀÄ㐀",
  latin1: "a\u0080ñÿ",
  "windows-1252": "a€ñÿ“”",
  "utf-16le": "añ北😀",
  "utf-16be": "añ北😀",
}

test.each([...encodings])("csv-encoding reads what it writes in %s, in chunks of every size", async (encoding) => {
  const text = texts[encoding]
  const bytes = encode(text, encoding)
  expect(bytes).toBeInstanceOf(Uint8Array)
  for (let size = 1; size < 12; size++) {
    expect(new TextDecoder().decode(await decode(cut(bytes as Uint8Array, size), encoding))).toBe(text)
  }
})

test("csv-encoding writes the bytes that other programs expect", () => {
  const hex = (text: string, encoding: Encoding) => Buffer.from(encode(text, encoding) as Uint8Array).toString("hex")
  expect(hex("北京€", "gbk")).toBe("b1b1bea980")
  expect(hex("€😀", "gb18030")).toBe("a2e39439fc36")
  expect(hex("é€", "windows-1252")).toBe("e980")
  expect(hex("😀", "utf-16be")).toBe("d83dde00")
})

test("csv-encoding writes every character of the platform's GB 18030 back as it was read", async () => {
  for (let code = 0x80; code < 0x30000; code += code < 0x10000 ? 1 : 997) {
    if (code >= 0xd800 && code < 0xe000) continue
    const character = String.fromCodePoint(code)
    const bytes = encode(character, "gb18030")
    if (typeof bytes !== "number") expect(new TextDecoder("gb18030", { fatal: true }).decode(bytes)).toBe(character)
    else expect(code).toBeGreaterThan(0xdfff)
  }
})

test("csv-encoding tells characters that an encoding lacks", () => {
  expect(encode("aé北", "latin1")).toBe(0x5317)
  expect(encode("\u0081", "windows-1252")).toBe(0x81)
  expect(encode("😀", "gbk")).toBe(0x1f600)
})

test("csv-encoding keeps wrong bytes apart and shows them", async () => {
  const shown = async (hex: string, encoding: Encoding) => showBytes(await decode([Buffer.from(hex, "hex")], encoding))
  expect(await shown("61ff2c62", "gbk")).toEqual({ text: "a\\xff,b", invalid: "ff" })
  expect(await shown("61b12c62", "gbk")).toEqual({ text: "a\\xb1,b", invalid: "b1" })
  expect(await shown("618130", "gb18030")).toEqual({ text: "a\\x81\\x30", invalid: "81 30" })
  expect(await shown("618162", "windows-1252")).toEqual({ text: "a\\x81b", invalid: "81" })
  expect(await shown("610000d8620063", "utf-16le")).toEqual({ text: "a\\x00\\xd8b\\x63", invalid: "00 d8 63" })
  expect(await shown("61e90ac3a9c0afeda080f5", "utf-8")).toEqual({
    text: "a\\xe9\né\\xc0\\xaf\\xed\\xa0\\x80\\xf5",
    invalid: "e9 c0 af ed a0 80 f5",
  })
})

test("csv-encoding drops a byte order mark and follows it on auto", async () => {
  for (const encoding of ["utf-8", "utf-16le", "utf-16be"] as const) {
    const bytes = encode("\ufeffaé", encoding) as Uint8Array
    for (const size of [1, 2, 3, 9]) {
      expect(new TextDecoder().decode(await decode(cut(bytes, size), "auto"))).toBe("aé")
      expect(new TextDecoder().decode(await decode(cut(bytes, size), encoding))).toBe("aé")
    }
  }
  expect(await decode([Buffer.from("a")], "auto")).toEqual(Buffer.from("a"))
  expect(await decode([], "auto")).toEqual(Buffer.from(""))
  await expect(decode([Buffer.from("fffe6100", "hex")], "utf-8")).rejects.toThrow("seen utf-16le")
})
