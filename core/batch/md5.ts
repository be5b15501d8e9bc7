/**
 * The first 32 bits of MD5 (RFC 1321), which every database can compute as well: a checksum, no protection against
 * anybody's intent.
 *
 * A value is written into `room(…)` and hashed where it stands, so that nothing is allocated or copied for it.
 */
export class Md5 {
  #words = new Int32Array(FIRST_WORDS)
  #bytes = new Uint8Array(this.#words.buffer)

  /** Memory for a value of up to `size` bytes, from position 0; valid until it is hashed. What it held is gone. */
  room(size: number): Uint8Array {
    const needed = size + PADDING_BYTES
    if (needed > this.#bytes.length) {
      // Doubled, so that values that grow little by little do not cost an allocation each.
      this.#words = new Int32Array(Math.ceil(needed / 2))
      this.#bytes = new Uint8Array(this.#words.buffer)
    }
    return this.#bytes
  }

  /** Hashes the first `length` bytes of the room: the digest's first eight hex digits, as an unsigned number. */
  head(length: number): number {
    const bytes = this.#bytes
    const words = this.#words
    const size = ((length + 8) >>> 6) * 16 + 16
    bytes[length] = 0x80
    bytes.fill(0, length + 1, size * 4 - 8)
    words[size - 2] = length << 3
    words[size - 1] = length >>> 29
    state[0] = 0x6745_2301
    state[1] = 0xefcd_ab89
    state[2] = 0x98ba_dcfe
    state[3] = 0x1032_5476
    for (let at = 0; at < size; at += 16) mix(words, at)
    // One huge value must not hold its memory for the rest of the run.
    if (words.length > MOST_WORDS) {
      this.#words = new Int32Array(FIRST_WORDS)
      this.#bytes = new Uint8Array(this.#words.buffer)
    }
    const first = state[0]
    return ((first << 24) | ((first & 0xff00) << 8) | ((first >>> 8) & 0xff00) | (first >>> 24)) >>> 0
  }
}

/** A set bit, up to 63 bytes of zeros, and the length. */
const PADDING_BYTES = 72
const FIRST_WORDS = 1024
const MOST_WORDS = 262_144

const state = new Int32Array(4)

/** One block of 16 words. Written out in full, so that no step looks anything up. */
function mix(words: Int32Array, at: number): void {
  const m0 = words[at + 0]!
  const m1 = words[at + 1]!
  const m2 = words[at + 2]!
  const m3 = words[at + 3]!
  const m4 = words[at + 4]!
  const m5 = words[at + 5]!
  const m6 = words[at + 6]!
  const m7 = words[at + 7]!
  const m8 = words[at + 8]!
  const m9 = words[at + 9]!
  const m10 = words[at + 10]!
  const m11 = words[at + 11]!
  const m12 = words[at + 12]!
  const m13 = words[at + 13]!
  const m14 = words[at + 14]!
  const m15 = words[at + 15]!
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  a = (a + (d ^ (b & (c ^ d))) + m0 + 0xd76a_a478) | 0
  a = (((a << 7) | (a >>> 25)) + b) | 0
  d = (d + (c ^ (a & (b ^ c))) + m1 + 0xe8c7_b756) | 0
  d = (((d << 12) | (d >>> 20)) + a) | 0
  c = (c + (b ^ (d & (a ^ b))) + m2 + 0x2420_70db) | 0
  c = (((c << 17) | (c >>> 15)) + d) | 0
  b = (b + (a ^ (c & (d ^ a))) + m3 + 0xc1bd_ceee) | 0
  b = (((b << 22) | (b >>> 10)) + c) | 0
  a = (a + (d ^ (b & (c ^ d))) + m4 + 0xf57c_0faf) | 0
  a = (((a << 7) | (a >>> 25)) + b) | 0
  d = (d + (c ^ (a & (b ^ c))) + m5 + 0x4787_c62a) | 0
  d = (((d << 12) | (d >>> 20)) + a) | 0
  c = (c + (b ^ (d & (a ^ b))) + m6 + 0xa830_4613) | 0
  c = (((c << 17) | (c >>> 15)) + d) | 0
  b = (b + (a ^ (c & (d ^ a))) + m7 + 0xfd46_9501) | 0
  b = (((b << 22) | (b >>> 10)) + c) | 0
  a = (a + (d ^ (b & (c ^ d))) + m8 + 0x6980_98d8) | 0
  a = (((a << 7) | (a >>> 25)) + b) | 0
  d = (d + (c ^ (a & (b ^ c))) + m9 + 0x8b44_f7af) | 0
  d = (((d << 12) | (d >>> 20)) + a) | 0
  c = (c + (b ^ (d & (a ^ b))) + m10 + 0xffff_5bb1) | 0
  c = (((c << 17) | (c >>> 15)) + d) | 0
  b = (b + (a ^ (c & (d ^ a))) + m11 + 0x895c_d7be) | 0
  b = (((b << 22) | (b >>> 10)) + c) | 0
  a = (a + (d ^ (b & (c ^ d))) + m12 + 0x6b90_1122) | 0
  a = (((a << 7) | (a >>> 25)) + b) | 0
  d = (d + (c ^ (a & (b ^ c))) + m13 + 0xfd98_7193) | 0
  d = (((d << 12) | (d >>> 20)) + a) | 0
  c = (c + (b ^ (d & (a ^ b))) + m14 + 0xa679_438e) | 0
  c = (((c << 17) | (c >>> 15)) + d) | 0
  b = (b + (a ^ (c & (d ^ a))) + m15 + 0x49b4_0821) | 0
  b = (((b << 22) | (b >>> 10)) + c) | 0
  a = (a + (c ^ (d & (b ^ c))) + m1 + 0xf61e_2562) | 0
  a = (((a << 5) | (a >>> 27)) + b) | 0
  d = (d + (b ^ (c & (a ^ b))) + m6 + 0xc040_b340) | 0
  d = (((d << 9) | (d >>> 23)) + a) | 0
  c = (c + (a ^ (b & (d ^ a))) + m11 + 0x265e_5a51) | 0
  c = (((c << 14) | (c >>> 18)) + d) | 0
  b = (b + (d ^ (a & (c ^ d))) + m0 + 0xe9b6_c7aa) | 0
  b = (((b << 20) | (b >>> 12)) + c) | 0
  a = (a + (c ^ (d & (b ^ c))) + m5 + 0xd62f_105d) | 0
  a = (((a << 5) | (a >>> 27)) + b) | 0
  d = (d + (b ^ (c & (a ^ b))) + m10 + 0x0244_1453) | 0
  d = (((d << 9) | (d >>> 23)) + a) | 0
  c = (c + (a ^ (b & (d ^ a))) + m15 + 0xd8a1_e681) | 0
  c = (((c << 14) | (c >>> 18)) + d) | 0
  b = (b + (d ^ (a & (c ^ d))) + m4 + 0xe7d3_fbc8) | 0
  b = (((b << 20) | (b >>> 12)) + c) | 0
  a = (a + (c ^ (d & (b ^ c))) + m9 + 0x21e1_cde6) | 0
  a = (((a << 5) | (a >>> 27)) + b) | 0
  d = (d + (b ^ (c & (a ^ b))) + m14 + 0xc337_07d6) | 0
  d = (((d << 9) | (d >>> 23)) + a) | 0
  c = (c + (a ^ (b & (d ^ a))) + m3 + 0xf4d5_0d87) | 0
  c = (((c << 14) | (c >>> 18)) + d) | 0
  b = (b + (d ^ (a & (c ^ d))) + m8 + 0x455a_14ed) | 0
  b = (((b << 20) | (b >>> 12)) + c) | 0
  a = (a + (c ^ (d & (b ^ c))) + m13 + 0xa9e3_e905) | 0
  a = (((a << 5) | (a >>> 27)) + b) | 0
  d = (d + (b ^ (c & (a ^ b))) + m2 + 0xfcef_a3f8) | 0
  d = (((d << 9) | (d >>> 23)) + a) | 0
  c = (c + (a ^ (b & (d ^ a))) + m7 + 0x676f_02d9) | 0
  c = (((c << 14) | (c >>> 18)) + d) | 0
  b = (b + (d ^ (a & (c ^ d))) + m12 + 0x8d2a_4c8a) | 0
  b = (((b << 20) | (b >>> 12)) + c) | 0
  a = (a + (b ^ c ^ d) + m5 + 0xfffa_3942) | 0
  a = (((a << 4) | (a >>> 28)) + b) | 0
  d = (d + (a ^ b ^ c) + m8 + 0x8771_f681) | 0
  d = (((d << 11) | (d >>> 21)) + a) | 0
  c = (c + (d ^ a ^ b) + m11 + 0x6d9d_6122) | 0
  c = (((c << 16) | (c >>> 16)) + d) | 0
  b = (b + (c ^ d ^ a) + m14 + 0xfde5_380c) | 0
  b = (((b << 23) | (b >>> 9)) + c) | 0
  a = (a + (b ^ c ^ d) + m1 + 0xa4be_ea44) | 0
  a = (((a << 4) | (a >>> 28)) + b) | 0
  d = (d + (a ^ b ^ c) + m4 + 0x4bde_cfa9) | 0
  d = (((d << 11) | (d >>> 21)) + a) | 0
  c = (c + (d ^ a ^ b) + m7 + 0xf6bb_4b60) | 0
  c = (((c << 16) | (c >>> 16)) + d) | 0
  b = (b + (c ^ d ^ a) + m10 + 0xbebf_bc70) | 0
  b = (((b << 23) | (b >>> 9)) + c) | 0
  a = (a + (b ^ c ^ d) + m13 + 0x289b_7ec6) | 0
  a = (((a << 4) | (a >>> 28)) + b) | 0
  d = (d + (a ^ b ^ c) + m0 + 0xeaa1_27fa) | 0
  d = (((d << 11) | (d >>> 21)) + a) | 0
  c = (c + (d ^ a ^ b) + m3 + 0xd4ef_3085) | 0
  c = (((c << 16) | (c >>> 16)) + d) | 0
  b = (b + (c ^ d ^ a) + m6 + 0x0488_1d05) | 0
  b = (((b << 23) | (b >>> 9)) + c) | 0
  a = (a + (b ^ c ^ d) + m9 + 0xd9d4_d039) | 0
  a = (((a << 4) | (a >>> 28)) + b) | 0
  d = (d + (a ^ b ^ c) + m12 + 0xe6db_99e5) | 0
  d = (((d << 11) | (d >>> 21)) + a) | 0
  c = (c + (d ^ a ^ b) + m15 + 0x1fa2_7cf8) | 0
  c = (((c << 16) | (c >>> 16)) + d) | 0
  b = (b + (c ^ d ^ a) + m2 + 0xc4ac_5665) | 0
  b = (((b << 23) | (b >>> 9)) + c) | 0
  a = (a + (c ^ (b | ~d)) + m0 + 0xf429_2244) | 0
  a = (((a << 6) | (a >>> 26)) + b) | 0
  d = (d + (b ^ (a | ~c)) + m7 + 0x432a_ff97) | 0
  d = (((d << 10) | (d >>> 22)) + a) | 0
  c = (c + (a ^ (d | ~b)) + m14 + 0xab94_23a7) | 0
  c = (((c << 15) | (c >>> 17)) + d) | 0
  b = (b + (d ^ (c | ~a)) + m5 + 0xfc93_a039) | 0
  b = (((b << 21) | (b >>> 11)) + c) | 0
  a = (a + (c ^ (b | ~d)) + m12 + 0x655b_59c3) | 0
  a = (((a << 6) | (a >>> 26)) + b) | 0
  d = (d + (b ^ (a | ~c)) + m3 + 0x8f0c_cc92) | 0
  d = (((d << 10) | (d >>> 22)) + a) | 0
  c = (c + (a ^ (d | ~b)) + m10 + 0xffef_f47d) | 0
  c = (((c << 15) | (c >>> 17)) + d) | 0
  b = (b + (d ^ (c | ~a)) + m1 + 0x8584_5dd1) | 0
  b = (((b << 21) | (b >>> 11)) + c) | 0
  a = (a + (c ^ (b | ~d)) + m8 + 0x6fa8_7e4f) | 0
  a = (((a << 6) | (a >>> 26)) + b) | 0
  d = (d + (b ^ (a | ~c)) + m15 + 0xfe2c_e6e0) | 0
  d = (((d << 10) | (d >>> 22)) + a) | 0
  c = (c + (a ^ (d | ~b)) + m6 + 0xa301_4314) | 0
  c = (((c << 15) | (c >>> 17)) + d) | 0
  b = (b + (d ^ (c | ~a)) + m13 + 0x4e08_11a1) | 0
  b = (((b << 21) | (b >>> 11)) + c) | 0
  a = (a + (c ^ (b | ~d)) + m4 + 0xf753_7e82) | 0
  a = (((a << 6) | (a >>> 26)) + b) | 0
  d = (d + (b ^ (a | ~c)) + m11 + 0xbd3a_f235) | 0
  d = (((d << 10) | (d >>> 22)) + a) | 0
  c = (c + (a ^ (d | ~b)) + m2 + 0x2ad7_d2bb) | 0
  c = (((c << 15) | (c >>> 17)) + d) | 0
  b = (b + (d ^ (c | ~a)) + m9 + 0xeb86_d391) | 0
  b = (((b << 21) | (b >>> 11)) + c) | 0
  state[0] = (state[0]! + a) | 0
  state[1] = (state[1]! + b) | 0
  state[2] = (state[2]! + c) | 0
  state[3] = (state[3]! + d) | 0
}
