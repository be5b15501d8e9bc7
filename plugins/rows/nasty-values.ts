import type { LogicalType, TypeKind } from "../../core/contract/index.ts"

/** The edge cases of a type as canonical text. Some do not fit a narrower variant of it. */
export function nastyValues(type: LogicalType): readonly string[] {
  if (type.kind === "decimal" && type.precision !== undefined) return decimals(type.precision, type.scale ?? 0)
  return values[type.kind]
}

function decimals(precision: number, scale: number): string[] {
  const nines = `${"9".repeat(precision)}e${-scale}`
  return ["0", nines, `-${nines}`, `1e${-scale}`, `-1e${-scale}`]
}

const moments = [
  "1970-01-01 00:00:00",
  "1969-12-31 23:59:59.999999",
  "2038-01-19 03:14:08",
  "2024-02-29 23:59:59",
  // Hours that clocks in Europe skip and repeat.
  "2024-03-31 02:30:00",
  "2024-10-27 02:30:00",
  "0001-01-01 00:00:00",
  "9999-12-31 23:59:59.999999",
  "12022-06-01 00:00:00",
  "0044-03-15 12:00:00 BC",
  "infinity",
  "-infinity",
]

const values: Readonly<Record<TypeKind, readonly string[]>> = {
  boolean: ["true", "false"],
  int16: ["0", "-1", "32767", "-32768"],
  int32: ["0", "-1", "2147483647", "-2147483648"],
  int64: ["0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993", "4294967296", "-4294967296"],
  uint64: ["0", "18446744073709551615", "9223372036854775808", "9007199254740993"],
  float32: ["0", "-0", "NaN", "Infinity", "-Infinity", "3.4028235e+38", "1e-45", "0.1", "16777217"],
  float64: ["0", "-0", "NaN", "Infinity", "-Infinity", "1.7976931348623157e+308", "5e-324", "0.1", "1e21", "1e-7"],
  decimal: [
    "0",
    "-1",
    "0.10",
    "1.100",
    "NaN",
    "1e78",
    "-1e-30",
    `${"9".repeat(60)}.${"9".repeat(30)}`,
    "18446744073709551616",
  ],
  string: [
    "",
    " ",
    "  padded  ",
    "'",
    '"',
    '""',
    "it's",
    'say "hi"',
    "a,b;c|d\te",
    "line\nbreak",
    "carriage\r\nreturn",
    "\r",
    "back\\slash",
    "\\",
    "\\N",
    "\\.",
    "\\n",
    "NULL",
    "null",
    "NaN",
    "007",
    "1e5",
    "-0",
    "true",
    "'; DROP TABLE rows; --",
    // A placeholder that nobody may fill in.
    "$" + "{name}",
    "%s ? :x $1",
    "😀",
    "👩‍👩‍👧 family",
    "e\u0301 combining",
    "日本語",
    "\u202eright to left",
    "\ufeffmark",
    "\u00a0\u2028\u0085",
    "\u0001\u001b[31m",
    "ß İ ﬁ",
    "x".repeat(1000),
  ],
  bytes: ["\\x", "\\x00", "\\xff", "\\x5c78", "\\x0d0a2c22275c", "\\xf09f9880", "\\xeda080"],
  date: [
    "1970-01-01",
    "1969-12-31",
    "2024-02-29",
    "0001-01-01",
    "9999-12-31",
    "12022-06-01",
    "0044-03-15 BC",
    "infinity",
    "-infinity",
  ],
  time: ["00:00:00", "24:00:00", "23:59:59.999999", "23:59:59", "00:00:00.000001", "12:30:00.5"],
  timestamp: moments,
  interval: ["00:00:00", "1 year 2 mons 3 days 04:05:06.000007", "-838:59:59", "838:59:59", "-1 days"],
  json: [
    "null",
    "true",
    "0",
    '""',
    "[]",
    "{}",
    '{"a": 12345678901234567890.123456789012345678901234567890}',
    '{"a": 1, "a": 2}',
    '"\\u00e9 \\ud83d\\ude00 \\" \\\\ \\n"',
    '[1, [2, [3, {"deep": null}]]]',
    '{"it\'s": "a,b\\tc"}',
  ],
  uuid: [
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "123e4567-e89b-12d3-a456-426614174000",
  ],
  native: [],
}
