/** Classes of characters, references to characters, and escapes. */

/** What counts for emphasis: white space (also the edges of a text), punctuation, or a word. */
export const enum Kind {
  Word = 0,
  Space = 1,
  Punctuation = 2,
}

const ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /\s/.test(character) ? Kind.Space : /[\p{P}\p{S}]/u.test(character) ? Kind.Punctuation : Kind.Word;
});

/** The kind of a UTF-16 unit, or of the edge of a text (NaN). */
export function kindOf(code: number): Kind {
  if (code < 128) return ASCII[code] as Kind;
  if (Number.isNaN(code)) return Kind.Space;
  const character = String.fromCharCode(code);
  return /\s/.test(character) ? Kind.Space : /[\p{P}\p{S}]/u.test(character) ? Kind.Punctuation : Kind.Word;
}

export const isAlpha = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
export const isAlphanumeric = (code: number): boolean => isAlpha(code) || (code >= 48 && code <= 57);
export const isEscapable = (code: number): boolean => code < 128 && ASCII[code] === Kind.Punctuation;

export const REFERENCE = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]{0,30}));/y;
const ANY_REFERENCE = /\\([!-/:-@[-`{-~])|&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]{0,30}));/g;

/** The character of a match of `REFERENCE`; null for a name that means nothing. */
export function referenced(decimal?: string, hex?: string, name?: string): string | null {
  if (name !== undefined) return named(name);
  const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
  const none =
    code < 9 || code === 11 || (code > 13 && code < 32) || (code > 126 && code < 160) || (code > 0xd7ff && code < 0xe000) ||
    (code > 0xfdcf && code < 0xfdf0) || (code & 0xfffe) === 0xfffe || code > 0x10ffff;
  return none ? "\ufffd" : String.fromCodePoint(code);
}

/** A text with its escapes and references replaced, as in addresses, titles and info strings. */
export function unescaped(text: string): string {
  if (!/[\\&]/.test(text)) return text;
  return text.replace(ANY_REFERENCE, (written, escape?: string, decimal?: string, hex?: string, name?: string) =>
    escape ?? referenced(decimal, hex, name) ?? written,
  );
}

const NAMES = new Map<string, string | null>([
  ["amp", "&"], ["lt", "<"], ["gt", ">"], ["quot", '"'], ["nbsp", "\u00a0"],
]);
const MOST_NAMES = 4096;
let parser: DOMParser | undefined;

/** The browser knows the names; it is asked for nothing but letters and digits. */
function named(name: string): string | null {
  let known = NAMES.get(name);
  if (known === undefined) {
    parser ??= new DOMParser();
    const text = parser.parseFromString(`<p>&${name};</p>`, "text/html").body.textContent ?? "";
    known = text.endsWith(";") ? null : text;
    if (NAMES.size < MOST_NAMES) NAMES.set(name, known);
  }
  return known;
}
