import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { Context } from "effect"

type Environment = Readonly<Record<string, string | undefined>>

/** What the process is told by its environment. */
export class Settings extends Context.Service<
  Settings,
  {
    /** Where Headrace keeps its own files. */
    readonly home: string
    readonly cwd: string
    readonly environment: Environment
    /** Say more than a user needs, with stack traces. */
    readonly verbose: boolean
  }
>()("runtime/Settings") {}

export function readSettings(environment: Environment, cwd: string, isVerbose: boolean): Settings["Service"] {
  const { HEADRACE_HOME: home, HEADRACE_DEBUG: debug } = environment
  return {
    home: home === undefined || home === "" ? join(homedir(), ".headrace") : resolve(cwd, home),
    cwd,
    environment,
    verbose: isVerbose || (debug !== undefined && debug !== "" && debug !== "0"),
  }
}
