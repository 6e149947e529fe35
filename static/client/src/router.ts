/** Addresses of the client. The server answers each of them with index.html. */
export type Route =
  | { name: "home" }
  | { name: "login" }
  | { name: "card" }
  | { name: "space"; space: string }
  | { name: "page"; space: string; page: string }
  | { name: "thread"; space: string; thread: string }
  | { name: "members"; space: string }
  | { name: "cockpit"; space: string }
  | { name: "settings"; space: string }
  | { name: "pupils"; school: string }
  /** A screen of src/office: what is beside the spaces. */
  | { name: "office"; screen: string; id: string }
  | { name: "unknown" };

const PATTERNS: [RegExp, (...ids: string[]) => Route][] = [
  [/^\/$/, () => ({ name: "home" })],
  [/^\/login$/, () => ({ name: "login" })],
  [/^\/card$/, () => ({ name: "card" })],
  [/^\/spaces\/([\w-]+)$/, (space = "") => ({ name: "space", space })],
  [/^\/spaces\/([\w-]+)\/pages\/([\w-]+)$/, (space = "", page = "") => ({ name: "page", space, page })],
  [
    /^\/spaces\/([\w-]+)\/threads\/([\w-]+)$/,
    (space = "", thread = "") => ({ name: "thread", space, thread }),
  ],
  [/^\/spaces\/([\w-]+)\/members$/, (space = "") => ({ name: "members", space })],
  [/^\/spaces\/([\w-]+)\/cockpit$/, (space = "") => ({ name: "cockpit", space })],
  [/^\/spaces\/([\w-]+)\/settings$/, (space = "") => ({ name: "settings", space })],
  [/^\/(invitations|messages)\/([\w-]+)$/, (screen = "", id = "") => ({ name: "office", screen, id })],
  [
    /^\/(new|groups|approvals|contacts|messages|notifications|cases)$/,
    (screen = "") => ({ name: "office", screen, id: "" }),
  ],
  [/^\/schools\/([\w-]+)\/pupils$/, (school = "") => ({ name: "pupils", school })],
];

/** The route of a path; a trailing slash is forgiven. */
export function parse(path: string): Route {
  const plain = path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
  for (const [pattern, make] of PATTERNS) {
    const found = pattern.exec(plain);
    if (found) return make(...found.slice(1));
  }
  return { name: "unknown" };
}

export const path = {
  home: "/",
  login: "/login",
  space: (space: string) => `/spaces/${space}`,
  page: (space: string, page: string) => `/spaces/${space}/pages/${page}`,
  thread: (space: string, thread: string) => `/spaces/${space}/threads/${thread}`,
  members: (space: string) => `/spaces/${space}/members`,
  cockpit: (space: string) => `/spaces/${space}/cockpit`,
  settings: (space: string) => `/spaces/${space}/settings`,
  pupils: (school: string) => `/schools/${school}/pupils`,
  office: (screen: string) => `/${screen}`,
};

let changed: (route: Route) => void = () => {};

/** Calls back with the route now and after each change; ordinary links are taken over. */
export function startRouter(listener: (route: Route) => void): void {
  changed = listener;
  addEventListener("popstate", () => changed(parse(location.pathname)));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) return;
    if (parse(link.pathname).name === "unknown") return;
    event.preventDefault();
    go(link.pathname + link.hash);
  });
  changed(parse(location.pathname));
}

/** Opens another address of the client. */
export function go(to: string, replace = false): void {
  if (replace) history.replaceState(null, "", to);
  else if (to !== location.pathname) history.pushState(null, "", to);
  changed(parse(location.pathname));
}
