/** What stands in angle brackets: addresses, and raw HTML, in which nothing else is a mark. */

const AUTOLINK = /<([A-Za-z][A-Za-z\d.+-]{1,31}:[^<>\u0000-\u0020\u007f]*)>/y;
const AUTOLINK_EMAIL =
  /<([\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?(?:\.[A-Za-z\d](?:[A-Za-z\d-]{0,61}[A-Za-z\d])?)*)>/y;
/** An opening or closing tag, as the source of a pattern; `space` is what counts as white space in it. */
export function tagSource(space: string): string {
  const attribute = String.raw`${space}+[A-Za-z:_][\w.:-]*(?:${space}*=${space}*(?:"[^"]*"|'[^']*'|[^\s"'/<=>\`]+))?`;
  return String.raw`<(?:[A-Za-z][A-Za-z\d-]*(?:${attribute})*${space}*\/?|\/[A-Za-z][A-Za-z\d-]*${space}*)>`;
}

const HTML = new RegExp(tagSource(String.raw`\s`), "y");
/** The other kinds of raw HTML: how they begin, and what ends them. */
const HTML_OTHERS: readonly (readonly [RegExp, string])[] = [
  [/<!--(?=-?>)/y, ">"], [/<!--/y, "-->"], [/<\?/y, "?>"], [/<!\[CDATA\[/y, "]]>"], [/<![A-Za-z]/y, ">"],
];

/** `<address>` at `at`. */
export function autolinkAt(text: string, at: number, end: number): { readonly written: string; readonly address: string } | null {
  for (const [pattern, scheme] of [[AUTOLINK, ""], [AUTOLINK_EMAIL, "mailto:"]] as const) {
    pattern.lastIndex = at;
    const written = pattern.exec(text)?.[1];
    if (written !== undefined && pattern.lastIndex <= end) return { written, address: scheme + written };
  }
  return null;
}

/** Where the raw HTML that begins at `at` ends; null where there is none. `missing` keeps the ends that do not come. */
export function htmlEnd(text: string, at: number, end: number, missing: Set<string>): number | null {
  HTML.lastIndex = at;
  if (HTML.test(text) && HTML.lastIndex <= end) return HTML.lastIndex;
  for (const [begin, close] of HTML_OTHERS) {
    begin.lastIndex = at;
    if (!begin.test(text) || begin.lastIndex > end) continue;
    if (missing.has(close)) return null;
    const found = text.indexOf(close, begin.lastIndex);
    if (found >= 0 && found + close.length <= end) return found + close.length;
    missing.add(close);
    return null;
  }
  return null;
}
