import type { Plugin } from "../../core/contract/index.ts"
import select from "./select-transform.ts"

export default {
  name: "select",
  version: "0.1.0",
  engine: 1,
  title: "Select columns",
  license: "Apache-2.0",
  permissions: {},
  components: [select],
} satisfies Plugin
