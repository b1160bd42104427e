/** The words that the renderer adds to a text; whoever uses it may give others. */

export interface Labels {
  readonly copy: string;
  readonly copied: string;
  /** The browser did not let it be copied. */
  readonly notAllowed: string;
  readonly wrap: string;
  readonly fold: string;
  readonly unfold: string;
  /** What code without a language is called. */
  readonly text: string;
  /** A box of a task list. */
  readonly done: string;
  readonly toDo: string;
  /** The titles of alerts. */
  readonly note: string;
  readonly tip: string;
  readonly important: string;
  readonly warning: string;
  readonly caution: string;
  readonly footnotes: string;
  readonly footnote: (number: string) => string;
  readonly back: string;
  readonly loadImage: string;
  readonly loadNamedImage: (name: string) => string;
}

export const ENGLISH: Labels = {
  copy: "Copy",
  copied: "Copied",
  notAllowed: "Not allowed",
  wrap: "Wrap",
  fold: "Fold",
  unfold: "Unfold",
  text: "text",
  done: "Done",
  toDo: "To do",
  note: "Note",
  tip: "Tip",
  important: "Important",
  warning: "Warning",
  caution: "Caution",
  footnotes: "Footnotes",
  footnote: (number) => `Footnote ${number}`,
  back: "Back to the text",
  loadImage: "Load image",
  loadNamedImage: (name) => `Load image: ${name}`,
};
