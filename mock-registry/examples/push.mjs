// A client's test against a mock registry: an answer is lost, and the judge must find nothing. node push.mjs longshore
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

const [program, ...rest] = process.argv.slice(2);
const mock = spawn(program, [...rest, "mock", "--control", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
const lines = createInterface({ input: mock.stdout })[Symbol.asyncIterator]();
const registry = (await lines.next()).value;
const [control, token] = (await lines.next()).value.split(" ");
const steer = async (method, path, body) =>
  (await fetch(control + path, { method, body, headers: { Authorization: `Bearer ${token}` } })).json();

await steer("PUT", "/faults", "end-4b#1: answer-lost");
const post = `${registry}/v2/demo/blobs/uploads/?digest=sha256:${createHash("sha256").update("hello").digest("hex")}`;
const headers = { "Content-Type": "application/octet-stream" };
let attempt = 1; // the client under test
for (; attempt < 4; attempt++) {
  const answer = await fetch(post, { method: "POST", body: "hello", headers }).catch(() => null);
  if (answer?.status === 201) break;
}
const failed = (await steer("GET", "/report")).checks.filter((check) => check.status === "failed").map((check) => check.id);
console.log("requests:", (await steer("GET", "/state")).requests, "broken rules:", failed);
mock.kill();
process.exit(failed.length > 0 || attempt !== 2 ? 1 : 0);
