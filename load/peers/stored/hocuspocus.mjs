// Hocuspocus as its documentation sets it up with the SQLite extension: see ../hocuspocus.py.
import { parseArgs } from "node:util";
import { SQLite } from "@hocuspocus/extension-sqlite";
import { Server } from "@hocuspocus/server";

const { values } = parseArgs({ options: { port: { type: "string" }, database: { type: "string" } } });

const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 500);

const server = new Server({
  address: "127.0.0.1",
  port: Number(values.port),
  quiet: true,
  extensions: [new SQLite({ database: values.database })],
});
await server.listen();
console.log(`listening on ws://127.0.0.1:${server.address.port}`);
