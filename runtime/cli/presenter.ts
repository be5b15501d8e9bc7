import { Effect, Layer } from "effect"
import { type CliError, CliOutput } from "effect/cli"
import { closestName } from "../../core/flow/closest-name.ts"
import { problemText } from "./problem-text.ts"
import { Screen } from "./screen.ts"

/** Help as effect prints it; a wrong call gets a few words on the standard error instead of the whole page. */
export const presenterLayer = Layer.unwrap(
  Effect.gen(function* () {
    const screen = yield* Screen
    const colors = screen.outStyle.bold("x") !== "x"
    const formatter = CliOutput.defaultFormatter({ colors })
    const brief = CliOutput.defaultFormatter({ colors, globalFlags: "summary" })
    const present = (event: CliOutput.Presenter.Event) => {
      if (event._tag === "Version") return screen.out(formatter.formatVersion(event.name, event.version))
      if (event._tag === "Help")
        return screen.out((event.commandPath.length > 1 ? brief : formatter).formatHelpDoc(event.helpDoc))
      const { flags, globalFlags = [] } = event.helpDoc
      const known = [...flags, ...globalFlags].map((flag) => `--${flag.name}`)
      for (const error of event.errors) screen.say(problemText(callProblem(error, known), "error", screen.style))
      screen.say(`Run "${event.commandPath.join(" ")} --help" to see how it is called`)
    }
    return CliOutput.layerPresenter({ present: (event) => Effect.sync(() => present(event)) })
  }),
)

function callProblem(
  error: CliError.NonShowHelpErrors,
  known: readonly string[],
): { readonly message: string; readonly hint?: string } {
  switch (error._tag) {
    case "UnrecognizedOption":
      return { message: `There is no option "${error.option}"`, ...didYouMean(closestName(error.option, known)) }
    case "UnknownSubcommand":
      return { message: `There is no command "${error.subcommand}"`, ...didYouMean(error.suggestions[0]) }
    case "MissingArgument":
      return { message: `${error.argument} is missing` }
    case "MissingOption":
      return { message: `Option --${error.option} is missing` }
    case "InvalidValue": {
      const name = error.kind === "flag" ? `Option --${error.option}` : error.option
      return { message: `${name} cannot be "${error.value}": ${expectation(error.expected)}` }
    }
    case "UnexpectedArgument":
      return { message: `There is one argument too many: ${error.arguments.join(" ")}` }
    default:
      return { message: error.message }
  }
}

/** The library says a choice or the name of a value, our own checks a sentence. */
function expectation(expected: string): string {
  if (/^[A-Z][A-Z,=]*$/.test(expected)) return `write ${expected}`
  if (expected.startsWith('"')) return `choose one of ${expected.replaceAll('"', "").split(" | ").join(", ")}`
  if (expected === "Expected an integer") return "it is no whole number"
  return expected.startsWith("Expected a string representing a") ? "it is no number" : expected
}

function didYouMean(name: string | undefined): { readonly hint?: string } {
  return name === undefined ? {} : { hint: `Did you mean "${name}"?` }
}
