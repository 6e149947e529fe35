// One node of Hocuspocus as its documentation sets it up, with the Redis extension if one is named: see hocuspocus.py.
import { parseArgs } from "node:util";
import { Redis } from "@hocuspocus/extension-redis";
import { Server } from "@hocuspocus/server";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    "redis-host": { type: "string" },
    "redis-port": { type: "string" },
  },
});

const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 500);

const host = values["redis-host"];
const server = new Server({
  address: "127.0.0.1",
  port: Number(values.port),
  quiet: true,
  extensions: host ? [new Redis({ host, port: Number(values["redis-port"]) })] : [],
});
await server.listen();
console.log(`listening on ws://127.0.0.1:${server.address.port}`);
