/** By what a request to the Jupyter server shows who asks. */

/** Headers: a `token` for a server of another origin; else the cookie shows who it is, and this that its page asks. */
export function rights(token: string): Record<string, string> {
  if (token !== "") return { Authorization: `token ${token}` };
  // Only a page of the server can read it. Under JupyterHub it is asked for at every fetch, else where something changes.
  const xsrf = /(?:^|; *)_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  return xsrf === undefined ? {} : { "X-XSRFToken": xsrf };
}
