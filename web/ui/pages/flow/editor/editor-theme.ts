import { HighlightStyle, syntaxHighlighting } from "@codemirror/language"
import type { Extension } from "@codemirror/state"
import { EditorView } from "@codemirror/view"
import { tags } from "@lezer/highlight"

/** The editor in the colours of the pages; it stands in a shadow root, into which only custom properties reach. */
export const editorTheme: Extension = [
  EditorView.theme({
    "&": { height: "100%", fontSize: "12.5px", color: "var(--text)", backgroundColor: "var(--surface)" },
    "&.cm-focused": { outline: "none" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
    ".cm-content": { caretColor: "var(--text)", padding: "10px 0" },
    ".cm-gutters": {
      backgroundColor: "var(--surface)",
      color: "var(--text-faint)",
      border: "none",
      paddingLeft: "6px",
    },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--hover) 60%, transparent)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
      backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)",
    },
    ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
      backgroundColor: "var(--accent-soft)",
      outline: "1px solid var(--accent-line)",
    },
    ".cm-foldPlaceholder": {
      backgroundColor: "var(--idle-soft)",
      border: "none",
      color: "var(--text-muted)",
      padding: "0 6px",
    },
    ".cm-tooltip": {
      backgroundColor: "var(--raised)",
      color: "var(--text)",
      border: "1px solid var(--line-strong)",
      borderRadius: "6px",
      boxShadow: "var(--shadow)",
      font: "400 12.5px/1.45 var(--font)",
      maxWidth: "min(420px, 90vw)",
    },
    ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px", maxHeight: "15em" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
    ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
      backgroundColor: "var(--accent-soft)",
      color: "var(--accent-strong)",
    },
    ".cm-completionDetail": { color: "var(--text-muted)", fontStyle: "normal", marginLeft: "12px" },
    ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
    ".cm-completionInfo": { padding: "8px 10px", whiteSpace: "pre-wrap" },
    ".cm-diagnostic": { padding: "7px 10px", borderLeftWidth: "3px", whiteSpace: "pre-wrap" },
    ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
    ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
    ".cm-lintRange": { backgroundImage: "none", textDecoration: "underline wavy", textUnderlineOffset: "3px" },
    ".cm-lintRange-error": { textDecorationColor: "var(--bad)" },
    ".cm-lintRange-warning": { textDecorationColor: "var(--warn)" },
    ".cm-lint-marker": { width: "10px", height: "10px" },
    ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)", borderColor: "var(--line)" },
    ".cm-panels button, .cm-panels input": { font: "400 12.5px var(--font)", color: "var(--text)" },
    ".cm-textfield": { backgroundColor: "var(--surface)", border: "1px solid var(--line-field)", borderRadius: "4px" },
    ".cm-button": {
      backgroundImage: "none",
      backgroundColor: "var(--surface)",
      border: "1px solid var(--line-strong)",
      borderRadius: "4px",
    },
    ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn-line)" },
  }),
  syntaxHighlighting(
    HighlightStyle.define([
      { tag: tags.propertyName, color: "var(--code-key)" },
      { tag: tags.string, color: "var(--code-text)" },
      { tag: tags.number, color: "var(--code-number)" },
      { tag: [tags.bool, tags.null], color: "var(--code-word)" },
      { tag: [tags.separator, tags.brace, tags.squareBracket], color: "var(--text-muted)" },
    ]),
  ),
]
