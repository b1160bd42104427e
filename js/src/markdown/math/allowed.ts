/** The elements, attributes, styles and classes that a formula may have: what Temml writes for TeX that it trusts. */

const ELEMENTS: ReadonlySet<string> = new Set(
  (
    "math semantics annotation mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle mpadded mphantom menclose msub " +
    "msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd"
  ).split(" "),
);

const CLASSES: ReadonlySet<string> = new Set(
  (
    "tml-display tml-prime tml-sml-pad tml-med-pad tml-lrg-pad tml-vec tml-hat-1 tml-hat-2 tml-hat-3 tml-hat-4 " +
    "tml-tilde-2 tml-tilde-3 tml-tilde-4 tml-overline tml-underline tml-cancel upstrike downstrike sout tml-xcancel " +
    "tml-cancelto ff-narrow longdiv-top longdiv-arc phasor-bottom phasor-angle circle-pad textcircle actuarial " +
    "tml-fbox tml-tag menclose tml-right tml-left tml-jot tml-small chr-sml chr-med chr-lrg chr-sml-vec chr-med-vec chr-lrg-vec"
  ).split(" "),
);

const COLOUR = /^(?:#[\da-f]{3,8}|[a-z]{3,24})$/i;
const TRUTH = /^(?:true|false)$/;
const LENGTH = "length";
const LENGTHS = "lengths";

/** A pattern that the value must match, or that it is one length or some, which are clamped. */
type Rule = RegExp | typeof LENGTH | typeof LENGTHS;

const ATTRIBUTES: ReadonlyMap<string, Rule> = rules([
  ["display", /^(?:block|inline)$/],
  ["encoding", /^application\/x-tex$/],
  ["accent accentunder displaystyle fence largeop movablelimits separator stretchy symmetric", TRUTH],
  ["form", /^(?:prefix|infix|postfix)$/],
  ["scriptlevel", /^[+-]?\d$/],
  ["mathvariant", /^[a-z-]{1,24}$/],
  ["notation", /^[a-z ]{1,48}$/],
  ["mathbackground mathcolor", COLOUR],
  ["lspace rspace width height depth voffset linethickness minsize maxsize mathsize", LENGTH],
]);

const STYLES: ReadonlyMap<string, Rule> = rules([
  ["display", /^(?:block math|flex)$/],
  ["math-depth", /^\d$/],
  ["color", COLOUR],
  ["font-weight", /^bold$/],
  ["font-style", /^(?:italic|normal)$/],
  ["justify-content", /^center$/],
  ["position", /^(?:relative|absolute)$/],
  ["transform", /^scaleX\(-1\)$/],
  ["border border-top border-right border-bottom border-left", /^(?:1px|0?\.\d+em) (?:solid|dashed|double)(?: #?[\da-z]{3,24})?$/i],
  ["padding", LENGTHS],
  // Of the arrow to a cancelled term. In parts of the line, which is not the formula's, it pushes tags out of sight.
  ["width", /^90%$/],
  ["padding-top padding-right padding-bottom padding-left margin-left margin-right height left right bottom", LENGTH],
]);

export function allowedElement(name: string): boolean {
  return ELEMENTS.has(name);
}

export function allowedClass(name: string): boolean {
  return CLASSES.has(name);
}

/** The value that an attribute may have; null where it may not be there. */
export function allowedAttribute(name: string, value: string, sizes: Sizes): string | null {
  return ruled(ATTRIBUTES.get(name), value, sizes);
}

/** The value that a style may have, by its name in CSS; null where it may not be there. */
export function allowedStyle(name: string, value: string, sizes: Sizes): string | null {
  return ruled(STYLES.get(name), value, sizes);
}

const EMS: Readonly<Record<string, number>> = { em: 1, ex: 0.5, pt: 0.1, px: 0.07 };
const LARGEST_EM = 20;
const SMALLEST_EM = -2;
/** What is larger than a formula's own spaces counts, so that a hundred large ones are too many. */
const NOTED_EM = 2;
const MOST_EM = 60;

/** The lengths of one formula. */
export class Sizes {
  #em = 0;

  /** The length, clamped; null where it is none. Throws where the formula has too many large ones. */
  clamp(written: string): string | null {
    const match = /^(-?(?:\d+\.?\d*|\.\d+))(em|ex|pt|px|%|width)?$/.exec(written);
    if (match === null) return null;
    const [, digits, unit = ""] = match;
    const value = Number(digits);
    const em = EMS[unit];
    if (em === undefined) return Math.abs(value) <= 100 ? written : null;
    const size = Math.min(Math.max(value * em, SMALLEST_EM), LARGEST_EM);
    if (Math.abs(size) >= NOTED_EM) this.#em += Math.abs(size);
    if (this.#em > MOST_EM) throw new RangeError("The formula is too large.");
    return size === value * em ? written : `${size}em`;
  }
}

function ruled(rule: Rule | undefined, value: string, sizes: Sizes): string | null {
  if (rule === undefined) return null;
  if (rule instanceof RegExp) return rule.test(value) ? value : null;
  if (rule === LENGTH) return sizes.clamp(value);
  const lengths = value.split(" ").map((length) => sizes.clamp(length));
  return lengths.length > 4 || lengths.includes(null) ? null : lengths.join(" ");
}

function rules(lines: readonly (readonly [names: string, rule: Rule])[]): ReadonlyMap<string, Rule> {
  return new Map(lines.flatMap(([names, rule]) => names.split(" ").map((name) => [name, rule] as const)));
}
