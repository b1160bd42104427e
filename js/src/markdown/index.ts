/** The streaming Markdown renderer. It knows nothing of chat. */
export { copyText } from "./clipboard.ts";
export { linkAddress, visible } from "./safety.ts";
export { createMarkdownStream, type MarkdownOptions, type MarkdownStream } from "./stream.ts";
