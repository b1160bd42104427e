// Counts the nodes that a renderer makes for a text against those that are there in the end.

/**
 * `created`: every node that was made or came into the document, also by `innerHTML`. `held`: the most characters that
 * came without any change to the page. No frames: only nodes are counted.
 */
export async function churn(create, { text, chunk, budget }) {
  const container = document.createElement("div");
  document.body.replaceChildren(container);
  const seen = new Set();
  const note = (node) => {
    seen.add(node);
    for (const child of node.childNodes) note(child);
    return node;
  };
  watchMakers(note);
  let removed = 0;
  let still = 0;
  let held = 0;
  const take = (records) => {
    still = 0;
    for (const record of records) {
      record.addedNodes.forEach(note);
      removed += record.removedNodes.length;
    }
  };
  const observer = new MutationObserver(take);
  observer.observe(container, { subtree: true, childList: true, characterData: true });
  const stream = create(container);
  const began = performance.now();
  let at = 0;
  for (; at < text.length && performance.now() - began < budget; at += chunk) {
    held = Math.max(held, still);
    still += chunk;
    stream.push(text.slice(at, at + chunk));
    await stream.flush();
    // React takes renderings without a task in between for an endless loop.
    await task();
  }
  if (at >= text.length) await stream.end();
  await task();
  let final = -1;
  const walker = document.createTreeWalker(container);
  do final += 1;
  while (walker.nextNode());
  return { created: seen.size, final, removed, held, share: Math.min(1, at / text.length) };
}

const channel = new MessageChannel();
const task = () =>
  new Promise((done) => {
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  });

/** Fragments and templates are containers of the trade, not nodes of the page. */
function watchMakers(note) {
  const wrap = (prototype, name) => {
    const original = prototype[name];
    prototype[name] = function (...given) {
      const made = original.apply(this, given);
      if (made instanceof DocumentFragment) made.childNodes.forEach(note);
      else note(made);
      return made;
    };
  };
  for (const name of ["createElement", "createElementNS", "createTextNode", "createComment", "importNode"]) {
    wrap(Document.prototype, name);
  }
  wrap(Node.prototype, "cloneNode");
  wrap(Text.prototype, "splitText");
}
