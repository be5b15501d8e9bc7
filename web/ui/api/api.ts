export type { Api } from "../../api/index.ts"
