/** The streaming Markdown renderer. It knows nothing of chat. */
export { copyText } from "./clipboard.ts";
export type { Labels } from "./labels.ts";
export type { ClosedCode, CodeAction, Highlighter, LineHighlighter, MarkdownOptions, MathRenderer, Piece } from "./options.ts";
export { linkAddress, visible } from "./safety.ts";
export { createMarkdownStream, type MarkdownStream } from "./stream.ts";
