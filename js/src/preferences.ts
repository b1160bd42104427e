/** How a person likes all chats of a page, wherever they stand; the JupyterLab plugin sets it from JupyterLab's settings. */

export interface Preferences {
  /** What Enter does in a prompt; where it breaks the line, Ctrl+Enter sends (on a Mac Cmd+Enter, too). */
  readonly enter: "sends" | "breaks";
  /** Whether code in answers offers more than to be copied. */
  readonly codeActions: boolean;
  /** Whether screen readers hear an answer by sentence while it comes, or only how it stands. */
  readonly readAloud: boolean;
  /** Whether errors in outputs offer to be explained. */
  readonly explainErrors: boolean;
}

const DEFAULT: Preferences = { enter: "sends", codeActions: true, readAloud: true, explainErrors: true };
/** Raise the number when this class changes in a way that an older copy of this module would not survive. */
const KEY = Symbol.for("jupyter_streamchat.preferences/1");

class PagePreferences {
  value = DEFAULT;
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  set(value: Preferences): void {
    this.value = value;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The page's preferences, and who is told of changes. */
export function pagePreferences(): PagePreferences {
  const page = globalThis as { [KEY]?: PagePreferences };
  page[KEY] ??= new PagePreferences();
  return page[KEY];
}
