/** What of a model's text may become text or an address. */

/** Characters that steer, hide or turn the direction of what follows: shown, never obeyed. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]|(\u{1f3f4}[\u{e0020}-\u{e007f}]+)|[\u{e0000}-\u{e007f}]+/gu;
/** A quick look first: most texts have none of them. */
const SOME = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\udb40]/;

/** Text as it may be shown: control, direction and tag characters have a visible form. */
export function visible(text: string): string {
  if (!SOME.test(text)) return text;
  return text.replace(UNSEEN, (found, flag?: string) => {
    if (flag !== undefined) return flag;
    const code = found.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    if (code < 0xe0000) return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
    const hidden = [...found].map((tag) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - 0xe0000));
    return `⟨hidden: ${hidden.join("").replace(/[^ -~]/g, "·")}⟩`;
  });
}

export const LINK_SCHEMES: readonly string[] = ["http", "https", "mailto"];
export const PICTURE_SCHEMES: readonly string[] = ["http", "https"];

/** An address as it is written into a page: what may not stand in one is encoded, what is encoded stays. */
export function encoded(address: string): string {
  return address.replace(
    /%(?![A-Za-z\d]{2})|[^\u0000-\u007f]+|[^!#$%&-;=?-Z_a-z~]/g,
    (part) => encodeURIComponent(part.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")),
  );
}

/** The address, encoded, if its scheme is one of these, or if it has none and that is allowed; else null. */
export function allowedAddress(address: string, schemes: readonly string[], relative: boolean): string | null {
  const written = encoded(address);
  const scheme = /^([^/?#]*?):/.exec(written)?.[1];
  if (scheme === undefined) return relative ? written : null;
  return schemes.includes(scheme.toLowerCase()) ? written : null;
}

/** An address that may be followed from anywhere: http, https or mailto, spelled out in full; else null. */
export function linkAddress(href: string): string | null {
  const written = allowedAddress(href, LINK_SCHEMES, false);
  if (written === null) return null;
  try {
    return new URL(written).href;
  } catch {
    return null;
  }
}
