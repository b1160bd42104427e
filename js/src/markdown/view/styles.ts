/**
 * The few rules without which the renderer does not work: containment of groups, and the long table's columns.
 *
 * A contained group is clipped to its box: it is as wide as its longest line, and holds its items' markers. The browser
 * passes over groups that are far from the screen; the heights that they have until then are guesses.
 */

const RULES = `
.streamchat-md-code code { display: block; }
.streamchat-md-group { display: flow-root; contain: layout style; content-visibility: auto; contain-intrinsic-block-size: auto 1lh; }
.streamchat-md-lines { width: max-content; min-width: 100%; contain-intrinsic-inline-size: auto 0px; }
.streamchat-md-wrapped .streamchat-md-lines { width: auto; }
.streamchat-md-items { margin-inline-start: -4em; padding-inline-start: 4em; }
table:not(.streamchat-md-long) .streamchat-md-group { display: contents; }
.streamchat-md-long, .streamchat-md-long > thead, .streamchat-md-long > tbody { display: block; }
.streamchat-md-long tr { display: grid; grid-template-columns: var(--streamchat-md-columns); }
.streamchat-md-html { white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { .streamchat-md-group { content-visibility: visible; } }
`;

let sheet: CSSStyleSheet | null = null;

/** Give the rules to the document or shadow root that the container is in. A constructed sheet needs no permission by CSP. */
export function adoptStyles(container: Node): void {
  const root = container.getRootNode();
  const scope = root instanceof ShadowRoot ? root : (container.ownerDocument ?? document);
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(RULES);
  }
  if (!scope.adoptedStyleSheets.includes(sheet)) scope.adoptedStyleSheets = [...scope.adoptedStyleSheets, sheet];
}
