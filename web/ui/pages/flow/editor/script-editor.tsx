import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete"
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { json, jsonParseLinter } from "@codemirror/lang-json"
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language"
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint"
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search"
import { Compartment, EditorState, Prec } from "@codemirror/state"
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view"
import { useEffect, useRef } from "react"
import type { FlowProblem } from "../../../../../core/flow/problem.ts"
import { completeFlow, type Names } from "./completion.ts"
import { editorTheme } from "./editor-theme.ts"
import { rangeOf } from "./json-tree.ts"
import type { Schema } from "./schema-walk.ts"

export interface ScriptEditorProps {
  readonly value: string
  change(text: string): void
  readonly schema: Schema | undefined
  readonly names: Names
  readonly problems: readonly FlowProblem[]
  readonly warnings: readonly FlowProblem[]
  readonly readOnly?: boolean
  save?(): void
  run?(): void
  /** Shows and marks what a pointer names; another object asks again. */
  readonly show?: { readonly pointer: string } | undefined
}

/** The document as text. It stands in a shadow root, since only there its styles need no permission to be inline. */
export default function ScriptEditor(props: ScriptEditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const latest = useRef(props)
  latest.current = props
  const { value, schema, names, problems, warnings, readOnly = false, show } = props

  useEffect(() => {
    const element = host.current
    if (!element) return
    const root = element.shadowRoot ?? element.attachShadow({ mode: "open" })
    const extensions = [
      keys(latest),
      ...standing,
      completion.of([]),
      access.of([]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) latest.current.change(update.state.doc.toString())
      }),
    ]
    const made = new EditorView({
      parent: root,
      root,
      state: EditorState.create({ doc: latest.current.value, extensions }),
    })
    view.current = made
    return () => made.destroy()
  }, [])

  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])

  useEffect(() => {
    const extension = schema ? autocompletion({ override: [completeFlow(schema, names)], icons: false }) : []
    view.current?.dispatch({ effects: completion.reconfigure(extension) })
  }, [schema, names])

  useEffect(() => {
    const off = [EditorState.readOnly.of(true), EditorView.editable.of(false)]
    view.current?.dispatch({ effects: access.reconfigure(readOnly ? off : []) })
  }, [readOnly])

  useEffect(() => {
    const editor = view.current
    if (editor) editor.dispatch(setDiagnostics(editor.state, diagnostics(editor, value, problems, warnings)))
  }, [value, problems, warnings])

  useEffect(() => {
    const editor = view.current
    if (!editor || !show) return
    const { from, to } = rangeOf(editor.state, show.pointer)
    editor.dispatch({
      selection: { anchor: from, head: to },
      effects: EditorView.scrollIntoView(from, { y: "center" }),
    })
    editor.focus()
  }, [show])

  return <div ref={host} className="editor" />
}

/** Faults of the text itself come first; what the server has found stands at what it names. */
function diagnostics(
  view: EditorView,
  text: string,
  problems: readonly FlowProblem[],
  warnings: readonly FlowProblem[],
): Diagnostic[] {
  const faults = text.trim() === "" ? [] : jsonParseLinter()(view)
  if (faults.length > 0) return faults
  const place =
    (severity: "error" | "warning") =>
    (problem: FlowProblem): Diagnostic => ({
      ...rangeOf(view.state, problem.pointer ?? ""),
      severity,
      message: problem.hint ? `${problem.message}\n${problem.hint}` : problem.message,
    })
  return [...problems.map(place("error")), ...warnings.map(place("warning"))]
}

function keys(latest: { readonly current: ScriptEditorProps }) {
  const call = (act: "save" | "run") => () => {
    latest.current[act]?.()
    return latest.current[act] !== undefined
  }
  return Prec.highest(
    keymap.of([
      { key: "Mod-s", run: call("save"), preventDefault: true },
      { key: "Mod-Enter", run: call("run") },
    ]),
  )
}

const completion = new Compartment()
const access = new Compartment()
const standing = [
  lineNumbers(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  foldGutter(),
  history(),
  drawSelection(),
  indentOnInput(),
  indentUnit.of("  "),
  bracketMatching(),
  closeBrackets(),
  highlightSelectionMatches(),
  lintGutter(),
  json(),
  editorTheme,
  EditorView.contentAttributes.of({ "aria-label": "Script of the flow", tabindex: "0" }),
  keymap.of([
    ...closeBracketsKeymap,
    ...defaultKeymap,
    ...searchKeymap,
    ...historyKeymap,
    ...foldKeymap,
    ...completionKeymap,
    ...lintKeymap,
    indentWithTab,
  ]),
]
