// The shape of rendered Markdown as a string, so that two renderers' nodes compare whatever they are wrapped in.

/** What only wraps: seen through. A table's sections too, for not every renderer makes them. */
const WRAPPERS = new Set(["div", "span", "section", "article", "main", "thead", "tbody", "figure", "font"]);
/** What a page adds and no Markdown has. */
const FURNITURE = new Set(["button", "svg", "style", "script", "template"]);
const NAMES = { b: "strong", i: "em", s: "del", strike: "del" };
const BLOCKS = new Set("address blockquote dd dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table td th tr ul".split(" "));
const BASE = "http://base.test/";

/** Private characters stand for the white space of code, which counts, and for the edges of blocks. */
const kept = (text) => text.replace(/\n/g, "\ue001").replace(/ /g, "\ue002").replace(/\t/g, "\ue003");
const open = "\ue010";
const close = "\ue011";

export function normal(root, furniture) {
  const written = inner(root, false, furniture);
  return written
    .replace(/[ \t\r\n\f]+/g, " ")
    .replace(new RegExp(` ?(${open}[^${close}]*${close}) ?`, "g"), "$1")
    .replaceAll(open, "<")
    .replaceAll(close, ">")
    .replaceAll("\ue001", "\n")
    .replaceAll("\ue002", " ")
    .replaceAll("\ue003", "\t")
    .trim();
}

function inner(node, code, furniture) {
  let made = "";
  for (const child of node.childNodes) {
    made += shape(child, code, furniture);
    // Lines of code that are elements which stand one below the other.
    if (code && child.nextSibling && child.classList?.contains("block")) made += kept("\n");
  }
  return made;
}

function shape(node, code, furniture) {
  if (node.nodeType === Node.TEXT_NODE) {
    const text = node.data.replaceAll("<", "&lt;");
    return code ? kept(text) : text;
  }
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  const name = NAMES[node.localName] ?? node.localName;
  if (FURNITURE.has(name) || (furniture && node.matches(furniture))) return "";
  const within = inner(node, code || name === "code" || name === "pre", furniture);
  if (WRAPPERS.has(name)) return within;
  if (name === "br") return `${open}br${close}`;
  // The last line end of a block of code is not seen.
  if (name === "pre") return `${open}pre${close}${within.replace(/\ue001?(<\/code>)?$/, "$1")}${open}/pre${close}`;
  const attributes = attributesOf(node, name);
  // A link that leads nowhere is as good as its text.
  if (name === "a" && attributes === "") return within;
  const [left, right] = BLOCKS.has(name) ? [open, close] : ["<", ">"];
  return `${left}${name}${attributes}${right}${within}${left}/${name}${right}`;
}

function attributesOf(node, name) {
  const made = [];
  const add = (key, value) => value && made.push(` ${key}="${kept(value)}"`);
  if (name === "a" && node.getAttribute("href")) add("href", address(node.getAttribute("href")));
  if (name === "img") add("src", address(node.getAttribute("src") ?? ""));
  if (name === "img") add("alt", node.getAttribute("alt"));
  if (name === "a" || name === "img") add("title", node.getAttribute("title"));
  if (name === "ol" && (node.getAttribute("start") ?? "1") !== "1") add("start", node.getAttribute("start"));
  if (name === "th" || name === "td") add("align", node.getAttribute("align") || node.style.textAlign);
  if (name === "input") add("checked", node.checked ? "checked" : "no");
  return made.join("");
}

/** As the browser reads it, for some renderers write it out in full. */
function address(written) {
  try {
    return new URL(written, BASE).href;
  } catch {
    return written;
  }
}
