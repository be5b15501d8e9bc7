import type { Plugin } from "../../core/contract/index.ts"
import sqlite from "./sqlite.ts"

export default {
  name: "sqlite",
  version: "0.1.0",
  engine: 1,
  title: "SQLite",
  license: "Apache-2.0",
  permissions: { files: "write" },
  components: [sqlite],
} satisfies Plugin
