/** Rows of a list that stay mounted wherever it is scrolled: what a person uses or has selected is in them. */

/** The keys of rows in which the keyboard is, or that are selected. */
export function pinnedRows(feed: HTMLElement | null): ReadonlySet<string> {
  const pinned = new Set<string>();
  if (feed === null) return pinned;
  const { activeElement } = feed.getRootNode() as Document | ShadowRoot;
  const used = keyOf(feed, activeElement);
  if (used !== undefined) pinned.add(used);
  const selection = feed.ownerDocument.getSelection();
  if (selection === null || selection.rangeCount === 0 || selection.isCollapsed) return pinned;
  const range = selection.getRangeAt(0);
  if (!range.intersectsNode(feed)) return pinned;
  for (const row of feed.children) {
    const key = (row as HTMLElement).dataset["entry"];
    if (key !== undefined && range.intersectsNode(row)) pinned.add(key);
  }
  return pinned;
}

export function rowOf(feed: HTMLElement | null, key: string): HTMLElement | null {
  return ([...(feed?.children ?? [])] as HTMLElement[]).find((row) => row.dataset["entry"] === key) ?? null;
}

function keyOf(feed: HTMLElement, node: Element | null): string | undefined {
  if (node === null || !feed.contains(node)) return undefined;
  return node.closest<HTMLElement>("[data-entry]")?.dataset["entry"];
}
