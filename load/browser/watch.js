// Runs in every page before its own scripts: notes when, in ms since the navigation, what is there.
(() => {
  const seen = {};
  const note = (what) => {
    seen[what] ??= performance.now();
  };
  globalThis.watched = seen;

  globalThis.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      note("socket_asked");
      this.addEventListener("open", () => note("socket_open"), { once: true });
    }
  };

  // A key is taken when the editor takes input and the page has got round to its next task.
  const later = new MessageChannel();
  later.port1.onmessage = () => {
    note("editable");
    console.info("watched: editable");
    later.port1.close();
  };
  const look = () => {
    if (!seen.opened && document.querySelector(".ed-page[contenteditable=true]:not([hidden])")) {
      note("opened");
      later.port2.postMessage(0);
    }
    if (!seen.synced && document.querySelector(".ed-pill[data-state=saved]")) {
      note("synced");
      console.info("watched: synced");
    }
    if (seen.opened && seen.synced) looking.disconnect();
  };
  const looking = new MutationObserver(look);
  looking.observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ["contenteditable", "data-state", "hidden"],
  });
})();
