import type { ConfigSchema } from "../contract/index.ts"
import { parametersSchema } from "./parameters/index.ts"

/** A flow document: what the canvas draws and the script spells. */
export interface Flow {
  readonly version: 1
  readonly name?: string
  readonly description?: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly steps: readonly FlowStep[]
  readonly hops: readonly FlowHop[]
  readonly settings: FlowSettings
  /** Positions on the canvas; kept, never read by the engine. */
  readonly layout?: unknown
}

export interface FlowStep {
  readonly id: string
  /** Id of a component. */
  readonly use: string
  readonly config: unknown
}

export interface FlowHop {
  readonly from: string
  readonly to: string
  /** `copy` or `round-robin` where `from` has several successors; the branch of a router. */
  readonly send?: string
}

export interface FlowSettings {
  readonly parallel: number
  readonly forwarding: boolean
  readonly batchRows: number
  readonly batchBytes: number
  readonly bufferBytes: number
  readonly errorLimit: number
  readonly errorPercent?: number
  readonly timeZone: string
  readonly connectTimeoutMs: number
  readonly connectRetries: number
  readonly statementTimeoutMs: number
  readonly cancelTimeoutMs: number
  readonly splitRetries: number
  readonly stallTimeoutMs: number
  readonly schemaDrift: "fail" | "addColumns" | "ignore"
}

/** Characters of a flow document at most. */
export const MOST_CHARACTERS = 500_000

const settingsSchema = {
  type: "object",
  additionalProperties: false,
  description: "How the flow runs.",
  default: {},
  properties: {
    parallel: {
      type: "integer",
      minimum: 1,
      maximum: 256,
      default: 1,
      description: "Splits that are read and written at the same time.",
    },
    forwarding: {
      type: "boolean",
      default: true,
      description:
        "Forward bytes unread where input and output speak the same encoding and no step between them needs values.",
    },
    batchRows: {
      type: "integer",
      minimum: 1,
      maximum: 1_000_000,
      default: 1024,
      description: "Rows in a batch at most.",
    },
    batchBytes: {
      type: "integer",
      minimum: 1024,
      maximum: 1_073_741_824,
      default: 1_048_576,
      description: "Bytes in a batch, about.",
    },
    bufferBytes: {
      type: "integer",
      minimum: 65_536,
      maximum: 1_073_741_824,
      default: 8_388_608,
      description:
        "Bytes that each step may buffer for one split; splits that run at the same time share four times as much for forwarded rows that a server has not taken yet.",
    },
    errorLimit: { type: "integer", minimum: 0, default: 0, description: "Rejected rows after which the run fails." },
    errorPercent: {
      type: "number",
      minimum: 0,
      maximum: 100,
      description:
        "Rejected rows in per cent of the rows read after which the run fails; takes the place of errorLimit.",
    },
    timeZone: { type: "string", default: "UTC", description: "IANA time zone in which dates of parameters are meant." },
    connectTimeoutMs: {
      type: "integer",
      minimum: 100,
      maximum: 600_000,
      default: 10_000,
      description: "Limit of one connection attempt.",
    },
    connectRetries: {
      type: "integer",
      minimum: 0,
      maximum: 10,
      default: 1,
      description: "How often a failed connection attempt is repeated.",
    },
    statementTimeoutMs: {
      type: "integer",
      minimum: 60_000,
      maximum: 172_800_000,
      default: 1_800_000,
      description:
        "Limit of one statement of planning, preparation or completion, and of the wait for somebody else's lock in it.",
    },
    cancelTimeoutMs: {
      type: "integer",
      minimum: 0,
      maximum: 600_000,
      default: 10_000,
      description: "How long a cancelled run may take to clean up.",
    },
    splitRetries: {
      type: "integer",
      minimum: 0,
      maximum: 10,
      default: 2,
      description:
        "How often a split is tried again after a failure that may pass, such as a lost connection; after a deadlock up to 10 times, unless this is 0.",
    },
    stallTimeoutMs: {
      type: "integer",
      minimum: 300_000,
      maximum: 172_800_000,
      default: 1_800_000,
      description: "How long no row may move before the run fails and says which step the others wait for.",
    },
    schemaDrift: {
      type: "string",
      enum: ["fail", "addColumns", "ignore"],
      default: "fail",
      description:
        "What happens when a source has other columns than when the run was planned: `fail`; `ignore` columns that are new; `addColumns` adds new columns to the targets.",
    },
  },
}

/** The published JSON Schema of a flow document; `headrace schema` prints it. */
export const flowSchema: ConfigSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Headrace flow",
  type: "object",
  additionalProperties: false,
  required: ["version", "steps"],
  properties: {
    $schema: { type: "string", description: "Address of this schema, for editors." },
    version: { enum: [1], description: "Version of the document's format." },
    name: { type: "string", maxLength: 64, description: "Name of the flow." },
    description: { type: "string", maxLength: 1000, description: "What the flow is for." },
    parameters: parametersSchema,
    steps: {
      type: "array",
      minItems: 1,
      maxItems: 1000,
      description: "Inputs, transforms, routers and outputs.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["id", "use"],
        properties: {
          id: {
            type: "string",
            minLength: 1,
            maxLength: 64,
            pattern: "^[\\p{L}\\p{N}_-]+$",
            description: "Name of the step, unique in the flow.",
          },
          use: { type: "string", description: "Id of the component." },
          config: {
            type: "object",
            default: {},
            description: "Options of the component; its own schema describes them.",
          },
        },
      },
    },
    hops: {
      type: "array",
      maxItems: 5000,
      default: [],
      description: "Which step sends its rows to which.",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["from", "to"],
        properties: {
          from: { type: "string", description: "Id of the sending step." },
          to: { type: "string", description: "Id of the receiving step." },
          send: {
            type: "string",
            description:
              "Where the sender has several successors: `copy` gives each of them every row, `round-robin` deals the rows in turn; of a router: the branch.",
          },
        },
      },
    },
    settings: settingsSchema,
    layout: { description: "Where the canvas draws the steps; the engine does not read it." },
  },
}
