/** The language of this page's words, found again by every copy of this module: `trans` says each of them in it. */

/** What of JupyterLab's `TranslationBundle` is used here: its extraction finds `trans.__("…")` and `trans._n("…", "…", n)`. */
export interface TranslationBundle {
  /** `%1` is the first argument; `%%` is a percent sign. */
  __(text: string, ...values: readonly unknown[]): string;
  /** `%1` is the number, `%2` the first argument. */
  _n(singular: string, plural: string, count: number, ...values: readonly unknown[]): string;
}

interface Translation {
  /** Null for English, which the words are written in. */
  bundle: TranslationBundle | null;
  /** A BCP 47 tag; empty where it is the page's own. */
  language: string;
  readonly listeners: Set<() => void>;
}

/** Raise the number when `Translation` changes in a way that an older copy would not survive. */
const KEY = Symbol.for("jupyter_streamchat.translation/1");

const english: TranslationBundle = {
  __: (text, ...values) => filled(text, values),
  _n: (singular, plural, count, ...values) => filled(count === 1 ? singular : plural, [count, ...values]),
};

function translation(): Translation {
  const page = globalThis as { [KEY]?: Translation };
  return (page[KEY] ??= { bundle: null, language: "", listeners: new Set() });
}

/**
 * Say everything in another language from now on, on all of this page.
 *
 * @param bundle The words of it; null for English.
 * @param tag Its name, as in `de` or `zh_CN`: numbers follow it.
 * @example
 * setTranslation(translator.load("jupyter_streamchat"), translator.languageCode);
 */
export function setTranslation(bundle: TranslationBundle | null, tag = ""): void {
  const page = translation();
  page.bundle = bundle;
  page.language = tag.replaceAll("_", "-");
  for (const listener of [...page.listeners]) listener();
}

/** The words of this page's language. */
export const trans: TranslationBundle = {
  __: (text, ...values) => (translation().bundle ?? english).__(text, ...values),
  _n: (singular, plural, count, ...values) => (translation().bundle ?? english)._n(singular, plural, count, ...values),
};

/** What has to be drawn again when the language changes. */
export const language = {
  /** The language that words are said in, which numbers follow. */
  get tag(): string {
    const page = translation();
    // English words have English numbers, also in a page of another language.
    const said = page.bundle === null ? "en" : page.language || globalThis.document?.documentElement.lang;
    try {
      return Intl.getCanonicalLocales(said)[0] ?? "en";
    } catch {
      return "en";
    }
  },
  subscribe(listener: () => void, signal: AbortSignal): void {
    const { listeners } = translation();
    listeners.add(listener);
    signal.addEventListener("abort", () => listeners.delete(listener));
  },
};

function filled(text: string, values: readonly unknown[]): string {
  return text.replace(/%%|%(\d+)/g, (mark, place?: string) => (place === undefined ? "%" : String(values[Number(place) - 1] ?? mark)));
}
