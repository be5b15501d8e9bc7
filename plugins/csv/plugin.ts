import type { Plugin } from "../../core/contract/index.ts"
import csvInput from "./csv-input.ts"
import csvOutput from "./csv-output.ts"

export default {
  name: "csv",
  version: "0.1.0",
  engine: 1,
  title: "CSV",
  license: "Apache-2.0",
  permissions: { files: "write" },
  components: [csvInput, csvOutput],
} satisfies Plugin
