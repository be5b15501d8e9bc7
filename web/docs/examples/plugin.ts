import type { Plugin } from "headrace/contract"
import linesInput from "./lines-input.ts"
import linesOutput from "./lines-output.ts"
import mask from "./mask.ts"

export default {
  name: "lines",
  version: "1.0.0",
  engine: 1,
  permissions: { files: "write" },
  components: [linesInput, mask, linesOutput],
} satisfies Plugin
