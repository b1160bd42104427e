/** A picture that is not fetched before the person has seen its full address and asked for it. */

import type { Labels } from "../labels.ts";

export function pictureCard(address: string, title: string | null, alt: string, labels: Labels): HTMLElement {
  const card = document.createElement("button");
  card.className = "streamchat-md-picture";
  card.setAttribute("type", "button");
  const label = document.createElement("span");
  label.className = "streamchat-md-picture-alt";
  label.append(alt.trim() ? labels.loadNamedImage(alt.trim()) : labels.loadImage);
  const where = document.createElement("span");
  where.className = "streamchat-md-picture-address";
  where.append(address);
  card.append(label, where);
  card.addEventListener("click", (event) => {
    // In a link, the click is not for the link.
    event.preventDefault();
    event.stopPropagation();
    const image = document.createElement("img");
    image.referrerPolicy = "no-referrer";
    image.alt = alt;
    if (title !== null) image.title = title;
    image.src = address;
    card.replaceWith(image);
  });
  return card;
}
