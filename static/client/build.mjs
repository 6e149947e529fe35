// Builds the client into dist/: hashed assets with .br and .gz beside each, index.html, the service worker
// and manifest.json (what was built, and how big). Fails when a budget is broken or yjs is there twice.
import { createHash } from "node:crypto";
import { watch as watchFiles } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const KB = 1000;
const BUDGETS = { shell: 25 * KB, editor: 150 * KB, board: 82 * KB, thread: 85 * KB };
const TITLES = {
  shell: "Shell: log-in, home, space",
  editor: "Editor page, in all",
  board: "Board, in all",
  thread: "Discussion, in all",
};
const TARGET = ["chrome109", "edge109", "firefox115", "safari16.4"];
const MAIN = "src/main.ts";
const LOADED_LATER =
  /src\/(views\/(page|page-actions|members|pupils|menu)|collab\/collab|editor\/(index|panels|protecting|dialogs|dropping|writers)|board\/(index|dialogs)|discussions\/(nav\/)?index|teach\/(index|settings)|office\/[\w-]+)\.ts$/;
const EDITOR = "src/editor/index.ts";
const BOARD = "src/board/index.ts";
const TALK = "src/discussions";
/** Built aside and swapped in at the end: a running server never sees half a build. */
const OUT = "node_modules/.dist";
const watch = process.argv.includes("--watch");

/** `import css from "./x.css"` in a script gives the minified text; a stylesheet of its own stays a file. */
const cssAsText = {
  name: "css-as-text",
  setup(build) {
    build.onResolve({ filter: /\.css$/ }, (args) =>
      args.kind === "import-statement"
        ? { path: join(args.resolveDir, args.path), namespace: "css-text" }
        : null,
    );
    build.onLoad({ filter: /.*/, namespace: "css-text" }, async (args) => {
      const text = await readFile(args.path, "utf8");
      const { code } = await esbuild.transform(text, { loader: "css", minify: true, target: TARGET });
      return { contents: code.trim(), loader: "text", watchFiles: [args.path] };
    });
  },
};

/**
 * What is loaded later is loaded by the shell, so all that it shares with the shell is there already. Saying
 * so (an import of the shell) keeps the shell in one chunk: fewer requests, better compression.
 */
const shellInOneChunk = {
  name: "shell-in-one-chunk",
  setup(build) {
    build.onLoad({ filter: LOADED_LATER }, async (args) => ({
      contents: `import ${JSON.stringify(resolve("src/views/app.ts"))};${await readFile(args.path, "utf8")}`,
      loader: "ts",
    }));
  },
};

const common = {
  bundle: true,
  minify: true,
  target: TARGET,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
};

async function build() {
  await rm(OUT, { recursive: true, force: true });
  await mkdir(`${OUT}/assets`, { recursive: true });
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: [MAIN, "src/styles/app.css", "src/styles/dark.css", "src/icon.svg"],
    outdir: `${OUT}/assets`,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".svg": "copy" },
    format: "esm",
    splitting: true,
    plugins: [cssAsText, shellInOneChunk],
  });
  oneCopyOf("yjs", metafile);
  oneCopyOf("lib0", metafile);
  oneCopyOf("prosemirror-model", metafile);

  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [path.slice(OUT.length), output]),
  );
  const madeFrom = (source) => {
    for (const [path, output] of outputs) if (output.entryPoint === source) return path;
    throw new Error(`Nothing was built from ${source}.`);
  };
  const shell = closure(outputs, madeFrom(MAIN));
  const styles = madeFrom("src/styles/app.css");
  const dark = madeFrom("src/styles/dark.css");
  const icon = [...outputs.keys()].find((path) => /\/icon-[^/]*\.svg$/.test(path));

  const manifest = (await readFile("src/app.webmanifest", "utf8")).replace("{{icon}}", icon);
  await writeFile(`${OUT}/app.webmanifest`, JSON.stringify(JSON.parse(manifest)));
  const page = (await readFile("src/index.html", "utf8"))
    .replaceAll("{{styles}}", styles)
    .replaceAll("{{dark}}", dark)
    .replaceAll("{{icon}}", icon)
    .replaceAll("{{main}}", madeFrom(MAIN))
    .replaceAll(
      "{{preload}}",
      shell
        .slice(1)
        .map((path) => `<link rel="modulepreload" href="${path}">`)
        .join("\n  "),
    );
  await writeFile(`${OUT}/index.html`, page.replace(/\n\s+/g, "\n"));

  const catalogues = [...outputs].filter(([, each]) =>
    /\/i18n\/(.*\/)?\w\w\.ts$/.test(each.entryPoint ?? ""),
  );
  const words = catalogues.map(([path]) => path);
  await buildServiceWorker(
    [...outputs.keys()].filter((path) => !words.includes(path)),
    words,
  );

  const sizes = await compressAll();
  const english = (part) =>
    catalogues.filter(([, each]) => each.entryPoint === `${part}/i18n/en.ts`).map(([path]) => path);
  const shellFiles = ["/index.html", styles, dark, ...shell, ...english("src")];
  const withShell = (sources, ...parts) => [
    ...new Set([
      ...shellFiles,
      ...["src/views/space.ts", "src/collab/collab.ts", `${TALK}/nav/index.ts`, ...sources]
        .filter((source) => [...outputs.values()].some((each) => each.entryPoint === source))
        .flatMap((source) => closure(outputs, madeFrom(source))),
      ...english(`${TALK}/nav`),
      ...parts.flatMap(english),
    ]),
  ];
  const editorFiles = withShell(["src/views/page.ts", EDITOR], "src/editor");
  const boardFiles = withShell(["src/views/page.ts", BOARD], "src/board", "src/editor");
  const threadFiles = withShell([`${TALK}/index.ts`], TALK);
  // Views of the log-in, home and space screens that are loaded on their own count as shell.
  for (const source of ["src/views/login.ts", "src/views/home.ts", "src/views/space.ts"]) {
    if ([...outputs.values()].some((each) => each.entryPoint === source)) {
      for (const path of closure(outputs, madeFrom(source)))
        if (!shellFiles.includes(path)) shellFiles.push(path);
    }
  }
  await writeFile(`${OUT}/manifest.json`, `${JSON.stringify({ files: sizes }, null, 1)}\n`);
  await rm("dist", { recursive: true, force: true });
  await rename(OUT, "dist");
  return report(sizes, { shell: shellFiles, editor: editorFiles, board: boardFiles, thread: threadFiles });
}

/** `path` and all that it imports statically, each once. */
function closure(outputs, path, seen = []) {
  if (!seen.includes(path)) {
    seen.push(path);
    for (const each of outputs.get(path)?.imports ?? []) {
      if (each.kind === "import-statement" && !each.external)
        closure(outputs, each.path.slice(OUT.length), seen);
    }
  }
  return seen;
}

/** Two copies of yjs in one page do not recognise each other's types. */
function oneCopyOf(name, metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = input.match(new RegExp(`^(.*node_modules/${name})/(.*)$`));
    if (found) folders.add(found[1]);
  }
  const kinds = Object.keys(metafile.inputs).filter((input) =>
    new RegExp(`node_modules/${name}/dist/${name}\\.`).test(input),
  );
  if (folders.size > 1 || kinds.length > 1) {
    throw new Error(`${name} is built in more than once: ${[...folders, ...kinds].join(", ")}`);
  }
}

async function buildServiceWorker(assets, words) {
  const listed = ["/", ...assets].sort();
  const version = createHash("sha256")
    .update(JSON.stringify(listed))
    .update(await readFile(`${OUT}/index.html`))
    .digest("hex")
    .slice(0, 12);
  await esbuild.build({
    ...common,
    metafile: false,
    entryPoints: { sw: "src/offline/sw.ts" },
    outdir: OUT,
    format: "iife",
    define: {
      __ASSETS__: JSON.stringify(listed),
      __WORDS__: JSON.stringify(words.sort()),
      __VERSION__: JSON.stringify(version),
    },
  });
}

/** Writes .br and .gz beside every file; returns the sizes in bytes by path. */
async function compressAll() {
  const sizes = {};
  const paths = (await readdir(OUT, { recursive: true, withFileTypes: true }))
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath ?? each.path, each.name));
  for (const path of paths.sort()) {
    const bytes = await readFile(path);
    const br = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    const gz = gzipSync(bytes, { level: 9 });
    await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
    sizes[path.slice(OUT.length)] = { bytes: bytes.length, br: br.length, gz: gz.length };
  }
  return sizes;
}

function report(sizes, groups) {
  let good = true;
  const kb = (bytes) => (bytes / KB).toFixed(1).padStart(7);
  for (const [name, files] of Object.entries(groups)) {
    console.log(`\n${TITLES[name]} (kB: plain, gzip, brotli)`);
    const rows = name === "shell" ? files : files.filter((file) => !groups.shell.includes(file));
    if (name !== "shell")
      console.log(
        `${kb(sum(sizes, groups.shell, "bytes"))}${kb(sum(sizes, groups.shell, "gz"))}${kb(sum(sizes, groups.shell, "br"))}  the shell`,
      );
    for (const file of rows)
      console.log(`${kb(sizes[file].bytes)}${kb(sizes[file].gz)}${kb(sizes[file].br)}  ${basename(file)}`);
    const total = sum(sizes, files, "br");
    const over = total > BUDGETS[name];
    good &&= !over;
    console.log(
      `${kb(sum(sizes, files, "bytes"))}${kb(sum(sizes, files, "gz"))}${kb(total)}  of ${BUDGETS[name] / KB} kB brotli${over ? "  OVER BUDGET" : ""}`,
    );
  }
  if (!good) console.error("\nThe build is over its budget: see the rows above.");
  return good;
}

const sum = (sizes, files, kind) => files.reduce((total, file) => total + sizes[file][kind], 0);

async function attempt() {
  try {
    return await build();
  } catch (error) {
    // esbuild has printed what is wrong in the sources.
    if (!error.errors) console.error(error.message);
    return false;
  }
}

if (watch) {
  let timer;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(attempt, 100);
  };
  watchFiles("src", { recursive: true }, again);
  again();
} else if (!(await attempt())) {
  process.exit(1);
}
