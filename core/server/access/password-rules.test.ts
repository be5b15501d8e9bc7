import { expect, test } from "bun:test"
import { passwordFault } from "./password-rules.ts"

test.each([
  ["eleven char", "at least 12 characters, this one has 11"],
  ["x".repeat(257), "at most 256"],
  ["aaaaaaaaaaaaaaaa", "too few different"],
  ["abababababab", "too few different"],
  ["abcdefghijklmn", "row of neighbours"],
  ["zyxwvutsrqponm", "row of neighbours"],
  ["123456789012", "tried first"],
  ["Password1234", "tried first"],
  ["PASSWORD-2026!", "tried first"],
  ["1qaz2wsx3edc", "tried first"],
  ["q1w2e3r4t5y6", "tried first"],
  ["correcthorsebatterystaple", "tried first"],
  ["hunter7hunter7", "tried first"],
  ["ada.lovelace1", "a name that belongs to it"],
  ["headrace-ada1", "a name that belongs to it"],
])("%j is no password", (password, text) => {
  expect(passwordFault(password, ["ada", "lovelace"])).toContain(text)
})

test.each(["a sail of seven seams", "12 Buchstaben", "ünïcödé wörds", "ада лавлейс пишет", "🦑🐙🦐🦞🐡🐠🐟🐬🐳🐋🦈🦭"])(
  "%j is one",
  (password) => {
    expect(passwordFault(password, ["ada", "Ada Lovelace"])).toBeUndefined()
  },
)
