// Bundles the tests (they import TypeScript) and runs them with node's own runner.
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";

const folders = ["tests", "src/editor"];
const entryPoints = [];
for (const folder of folders) {
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    if (name.endsWith(".test.ts")) entryPoints.push(join(folder, name));
  }
}
const out = await mkdtemp(join(tmpdir(), "twinspace-client-tests-"));
await esbuild.build({
  entryPoints,
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  loader: { ".css": "text" },
  logLevel: "warning",
});
const files = (await readdir(out, { recursive: true }))
  .filter((name) => name.endsWith(".mjs"))
  .map((name) => join(out, name));
const run = spawn(process.execPath, ["--test", "--test-reporter=spec", ...files], { stdio: "inherit" });
run.on("exit", async (code) => {
  await rm(out, { recursive: true, force: true });
  console.log(code === 0 ? `client tests passed (${entryPoints.length} files)` : "client tests FAILED");
  process.exit(code ?? 1);
});
