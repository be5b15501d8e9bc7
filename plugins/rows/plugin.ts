import type { Plugin } from "../../core/contract/index.ts"
import consoleOutput from "./console-output.ts"
import discardOutput from "./discard-output.ts"
import rowsInput from "./rows-input.ts"

export default {
  name: "rows",
  version: "0.1.0",
  engine: 1,
  title: "Rows",
  license: "Apache-2.0",
  permissions: {},
  components: [rowsInput, consoleOutput, discardOutput],
} satisfies Plugin
