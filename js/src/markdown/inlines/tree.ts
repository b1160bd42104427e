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
  | { readonly type: "note"; readonly label: string };

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

/** What a reader of pictures' descriptions gets. */
export function plainText(inlines: readonly Inline[]): string {
  let text = "";
  for (const inline of inlines) {
    switch (inline.type) {
      case "text":
      case "code":
        text += inline.value;
        break;
      case "image":
        text += inline.alt;
        break;
      case "math":
        text += inline.written;
        break;
      case "break":
        text += "\n";
        break;
      case "check":
      case "note":
        break;
      default:
        text += plainText(inline.children);
    }
  }
  return text;
}
