// How many texts a renderer gets right that comes to see them in pieces, with micromark as the oracle.
import { micromark } from "micromark";
import { gfmAutolinkLiteral, gfmAutolinkLiteralHtml } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough, gfmStrikethroughHtml } from "micromark-extension-gfm-strikethrough";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";
import { gfmTaskListItem, gfmTaskListItemHtml } from "micromark-extension-gfm-task-list-item";
import { normal } from "./normal.js";

const GFM = {
  extensions: [gfmAutolinkLiteral(), gfmStrikethrough(), gfmTable(), gfmTaskListItem()],
  htmlExtensions: [gfmAutolinkLiteralHtml(), gfmStrikethroughHtml(), gfmTableHtml(), gfmTaskListItemHtml()],
};
const SETTINGS = { images: "load", schemes: ["http", "https", "irc", "ircs", "mailto", "xmpp"] };

/** A document that never loads its pictures nor runs anything. */
const inert = document.implementation.createHTMLDocument();

function shaped(html) {
  const holder = inert.createElement("div");
  holder.innerHTML = html;
  return normal(holder);
}

const oracle = (text) => micromark(text, GFM);
const hasHtml = (text) => micromark(text, { ...GFM, allowDangerousHtml: true }) !== oracle(text);
/** In an item, micromark makes two lines of one empty line of code at the end of the text. */
const odd = (text) => /(?:```|~~~)[^\n]*\n[ \t]*\n[ \t]*$/.test(text);
/** Notes are another extension, which the oracle is not given. */
const fit = (text) => !hasHtml(text) && !odd(text) && !text.includes("[^");
/**
 * micromark's writer of HTML forgets line ends of code after a definition and in an item that begins with an empty
 * line (its parser does not): there, white space is not compared.
 */
const forgetful = /\]:|^[ \t>]*(?:[-+*]|\d+[.)])[ \t]*$/m;
const same = (shown, answer, text) =>
  shown === answer || (forgetful.test(text) && shown.replace(/\s/g, "") === answer.replace(/\s/g, ""));

async function rendered(create, text, cut, furniture) {
  const container = document.createElement("div");
  document.body.replaceChildren(container);
  const stream = create(container, SETTINGS);
  for (let at = 0; at < text.length; ) {
    const next = at + cut();
    stream.push(text.slice(at, next));
    const flushed = stream.flush();
    if (flushed) await flushed;
    at = next;
  }
  const ended = stream.end();
  if (ended) await ended;
  const found = normal(container, furniture);
  stream.close?.();
  return found;
}

async function judged(create, tests, budget, furniture) {
  const found = { right: 0, of: 0, wrong: [] };
  const began = performance.now();
  for (const { text, answers, cut } of tests) {
    if (performance.now() - began > budget) break;
    let shown;
    try {
      shown = await rendered(create, text, cut, furniture);
    } catch (error) {
      shown = String(error);
    }
    found.of += 1;
    if (answers.some((answer) => same(shown, answer, text))) found.right += 1;
    else if (found.wrong.length < 20) found.wrong.push({ text, shown, answers });
  }
  return found;
}

/** The examples of CommonMark without raw HTML, character by character; an address that is not safe may be left out. */
export async function examples(create, { commonmark, budget, furniture }) {
  const tests = commonmark
    .filter(({ md }) => fit(md))
    .map(({ md, html }) => ({ text: md, answers: [shaped(oracle(md)), shaped(html)], cut: () => 1 }));
  return judged(create, tests, budget, furniture);
}

/** So many documents for the seed, of examples that are glued together, in pieces of 1 to 20 characters. */
export async function glued(create, { pool, seed, count, budget, furniture }) {
  const random = mulberry(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const pieces = pool.filter(fit);
  const tests = [];
  while (tests.length < count) {
    let text = "";
    for (let n = 2 + Math.floor(random() * 5); n > 0; n -= 1) text += pick(pieces) + pick(["", "", "\n", "\n\n"]);
    if (!fit(text)) continue;
    tests.push({ text, answers: [shaped(oracle(text))], cut: () => 1 + Math.floor(random() * 20) });
  }
  return judged(create, tests, budget, furniture);
}

function mulberry(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
