import type { Plugin } from "../../core/contract/index.ts"
import arrowInput from "./arrow-input.ts"
import arrowOutput from "./arrow-output.ts"

export default {
  name: "arrow",
  version: "0.1.0",
  engine: 1,
  title: "Apache Arrow",
  license: "Apache-2.0",
  permissions: { files: "write" },
  components: [arrowInput, arrowOutput],
} satisfies Plugin
