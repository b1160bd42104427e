/** What of a model's text may become text, an address or a picture. */

/** Characters that turn the direction of what follows: shown, never obeyed. */
const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;
/** Tag characters are invisible; only after the black flag do they mean something to a person. */
const TAGS = /(\u{1f3f4}[\u{e0020}-\u{e007f}]+)|[\u{e0000}-\u{e007f}]+/gu;
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]{1,15}));/g;
const NAMED: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™", hellip: "…",
  mdash: "—", ndash: "–", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", times: "×",
  divide: "÷", middot: "·", bull: "•", deg: "°", plusmn: "±", minus: "−", larr: "←", rarr: "→", uarr: "↑", darr: "↓",
  harr: "↔", rArr: "⇒", lArr: "⇐", hArr: "⇔", euro: "€", pound: "£", yen: "¥", cent: "¢", sect: "§", para: "¶",
  frac12: "½", frac14: "¼", frac34: "¾", sup2: "²", sup3: "³", infin: "∞", ne: "≠", le: "≤", ge: "≥", asymp: "≈",
  equiv: "≡", sum: "∑", prod: "∏", radic: "√", part: "∂", int: "∫", isin: "∈", forall: "∀", exist: "∃", nabla: "∇",
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", zeta: "ζ", eta: "η", theta: "θ", kappa: "κ",
  lambda: "λ", mu: "μ", nu: "ν", xi: "ξ", pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", chi: "χ", psi: "ψ",
  omega: "ω", Gamma: "Γ", Delta: "Δ", Theta: "Θ", Lambda: "Λ", Pi: "Π", Sigma: "Σ", Phi: "Φ", Psi: "Ψ", Omega: "Ω",
};

/** Text as it may be shown. */
export function visible(text: string): string {
  return text
    .replace(CONTROLS, "")
    .replace(BIDI, "\ufffd")
    .replace(TAGS, (_, flag: string | undefined) => flag ?? "");
}

/** Entities as the characters they stand for; a name that is not common stays as written. */
export function decoded(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (written, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? written) : written;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    const scalar = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return scalar ? String.fromCodePoint(code) : "\ufffd";
  });
}

/** An address that may be followed: http, https or mailto, spelled out in full; else null. */
export function linkAddress(href: string): string | null {
  return address(href, ["http:", "https:", "mailto:"]);
}

/** An address from which a picture may be loaded when the person asks for it; else null. */
export function pictureAddress(href: string): string | null {
  if (/^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z\d+/=]+$/.test(href)) return href;
  return address(href, ["http:", "https:"]);
}

function address(href: string, schemes: readonly string[]): string | null {
  try {
    const url = new URL(decoded(href));
    return schemes.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
