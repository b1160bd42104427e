/** What the modes call their tokens, as the few classes that the style sheet colours. */

const PREFIX = "streamchat-hl-";

/**
 * By the token's first word that is here. Ordinary variables and punctuation are not, so that they take no nodes; nor
 * are errors: code that is still being written is full of them.
 */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ["keyword", "keyword"],
  ["self", "keyword"],
  ["atom", "atom"],
  ["bool", "atom"],
  ["null", "atom"],
  ["number", "number"],
  ["unit", "number"],
  ["string", "string"],
  ["string.special", "string"],
  ["character", "string"],
  ["regexp", "string"],
  ["comment", "comment"],
  ["def", "def"],
  ["variableName.function", "def"],
  ["builtin", "builtin"],
  ["macroName", "builtin"],
  ["standard", "builtin"],
  ["variableName.standard", "builtin"],
  ["type", "type"],
  ["typeName", "type"],
  ["operator", "operator"],
  ["variableName.special", "operator"],
  ["property", "property"],
  ["propertyName", "property"],
  ["tag", "tag"],
  ["qualifier", "tag"],
  ["attribute", "attribute"],
  ["meta", "meta"],
  ["inserted", "inserted"],
  ["deleted", "deleted"],
  ["header", "heading"],
  ["heading", "heading"],
  ["strong", "strong"],
  ["emphasis", "emphasis"],
  ["link", "link"],
]);

const known = new Map<string, string>();

/** The class for a mode's token and its text; empty for plain text. */
export function styleOf(token: string | null, text: string): string {
  // Go's mode takes a lone point for a number.
  if (!token || text === ".") return "";
  let style = known.get(token);
  if (style === undefined) {
    const name = token.split(" ").find((word) => CLASSES.has(word));
    style = name === undefined ? "" : PREFIX + CLASSES.get(name);
    known.set(token, style);
  }
  return style;
}
