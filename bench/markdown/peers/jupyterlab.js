// JupyterLab's own renderer of Markdown with its parser and languages; each change renders the whole model again.
import { EditorLanguageRegistry } from "@jupyterlab/codemirror";
import { createMarkdownParser } from "@jupyterlab/markedparser-extension";
import { MimeModel, RenderMimeRegistry, standardRendererFactories } from "@jupyterlab/rendermime";
import { Widget } from "@lumino/widgets";
import { whole } from "./whole.js";

const languages = new EditorLanguageRegistry();
EditorLanguageRegistry.getDefaultLanguages().forEach((language) => languages.addLanguage(language));
const markdownParser = createMarkdownParser(languages);

export function create(container) {
  const registry = new RenderMimeRegistry({ initialFactories: standardRendererFactories, markdownParser });
  const renderer = registry.createRenderer("text/markdown");
  Widget.attach(renderer, container);
  return whole((text) => renderer.renderModel(new MimeModel({ data: { "text/markdown": text } })));
}

/** The links that it gives every heading. */
export const furniture = ".jp-InternalAnchorLink";
