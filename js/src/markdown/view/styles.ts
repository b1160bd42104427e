/**
 * The few rules without which the renderer does not work: containment of groups, and the long table's columns.
 *
 * A contained group is clipped to its box: it is as wide as its longest line, and holds its items' markers.
 */

const RULES = `
.streamchat-md-group { display: flow-root; contain: layout style; }
.streamchat-md-full { content-visibility: auto; }
.streamchat-md-lines { width: max-content; min-width: 100%; contain-intrinsic-size: auto 0px auto 42em; }
.streamchat-md-wrapped .streamchat-md-lines { width: auto; }
.streamchat-md-items { margin-inline-start: -4em; padding-inline-start: 4em; contain-intrinsic-block-size: auto 48em; }
.streamchat-md-blocks { contain-intrinsic-block-size: auto 100em; }
.streamchat-md-rows { contain-intrinsic-block-size: auto 64em; }
.streamchat-md-groups { contain-intrinsic-block-size: auto 1200em; }
table:not(.streamchat-md-long) .streamchat-md-group { display: contents; }
.streamchat-md-long, .streamchat-md-long > thead, .streamchat-md-long > tbody { display: block; }
.streamchat-md-long tr { display: grid; grid-template-columns: var(--streamchat-md-columns); }
.streamchat-md-html { white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { .streamchat-md-full { content-visibility: visible; } }
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
