/** The plugin's picture, in the colours of JupyterLab's theme. */

import { LabIcon } from "@jupyterlab/ui-components";

export const chatIcon = new LabIcon({
  name: "jupyter-streamchat:chat",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" fill-rule="evenodd" d="M3.5 2h9A1.5 1.5 0 0 1 14 3.5v6A1.5 1.5 0 0 1 12.5 11H8.6l-3.2 2.8a.55.55 0 0 1-.9-.42V11h-1A1.5 1.5 0 0 1 2 9.5v-6A1.5 1.5 0 0 1 3.5 2zm1.25 2.75v1.1h6.5v-1.1zm0 2.4v1.1h4.5v-1.1z"/>
</svg>`,
});
