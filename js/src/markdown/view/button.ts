/** A button; its name is an attribute, which is no part of what is selected, found or copied. */
export function button(style: string, label: string, click: () => void): HTMLElement {
  const made = document.createElement("button");
  made.setAttribute("type", "button");
  made.className = style;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", click);
  return made;
}
