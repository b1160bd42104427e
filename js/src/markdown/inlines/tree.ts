/** The inline content of a block, as a tree of values. */

export type Inline =
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "code"; readonly value: string }
  | { readonly type: "break" }
  | { readonly type: "em" | "strong" | "del"; readonly children: readonly Inline[] }
  | { readonly type: "link"; readonly address: string; readonly title: string | null; readonly children: readonly Inline[] }
  | { readonly type: "image"; readonly address: string; readonly title: string | null; readonly alt: string }
  | { readonly type: "math"; readonly source: string; readonly display: boolean; readonly written: string }
  | { readonly type: "check"; readonly checked: boolean }
  | { readonly type: "call"; readonly label: string; readonly number: number };

/** A run of `*`, `_` or `~` that may open or close emphasis. */
export interface Delimiter {
  readonly type: "delimiter";
  readonly marker: string;
  size: number;
  readonly open: boolean;
  readonly close: boolean;
  /** Whether to expect that a run which opens will be closed. */
  readonly hopeful: boolean;
}

/** `[` or `![`, until its `]` comes. */
export interface Bracket {
  readonly type: "bracket";
  readonly image: boolean;
  /** The first character after it in the source. */
  readonly inside: number;
  active: boolean;
}

/** What scanning makes, in order; `to` is where it ends in the source. */
export interface Item {
  value: Inline | Delimiter | Bracket;
  readonly from: number;
  to: number;
}

/** What a reader of pictures' descriptions gets. However deep it is nested, it takes no deep stack. */
export function plainText(inlines: readonly Inline[]): string {
  let text = "";
  const left = [...inlines].reverse();
  for (let inline = left.pop(); inline !== undefined; inline = left.pop()) {
    if ("children" in inline) {
      for (let index = inline.children.length - 1; index >= 0; index -= 1) left.push(inline.children[index] as Inline);
    } else if (inline.type === "image") {
      text += inline.alt;
    } else if (inline.type === "math") {
      text += inline.written;
    } else if (inline.type === "break") {
      text += "\n";
    } else if (inline.type === "text" || inline.type === "code") {
      text += inline.value;
    }
  }
  return text;
}
