import type { Plugin } from "../../core/contract/index.ts"
import postgres from "./postgres-database.ts"

export default {
  name: "postgres",
  version: "0.1.0",
  engine: 1,
  title: "PostgreSQL",
  license: "Apache-2.0",
  permissions: { network: "dataSource" },
  components: [postgres],
} satisfies Plugin
