// A real box in a folder of its own, as the browser test starts it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// administrator is who sets the box up and signs in to it.
export const administrator = { fullName: "Ann Smith", name: "ann", password: "seven purple ploughs" };

// start returns a box that listens at the addresses of its services, or on ports of the system's choice; whoever starts it
// stops it, and with it goes all that it had.
export function start(furrow, addresses = { http: "127.0.0.1:0", https: "127.0.0.1:0", sstp: "127.0.0.1:0" }) {
  const data = mkdtempSync(join(tmpdir(), "furrow-browser-"));
  const box = spawn(furrow, ["--data", data, "serve",
    ...Object.entries(addresses).flatMap(([service, address]) => ["--listen", `${service}=${address}`])]);
  let log = "";
  box.stderr.on("data", (text) => { log += text; });
  box.stdout.on("data", (text) => { log += text; });

  // run is a command of the box's own command line, and returns what it writes.
  function run(...args) {
    return new Promise((resolve, reject) => {
      const asked = spawn(furrow, ["--data", data, ...args]);
      let text = "", complaint = "";
      asked.stdout.on("data", (part) => { text += part; });
      asked.stderr.on("data", (part) => { complaint += part; });
      asked.on("error", reject);
      asked.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`furrow ${args[0]}: ${code}: ${complaint}`))));
    });
  }

  return {
    furrow,
    data,
    run,

    // said waits until the box has said something in its log, and returns the first group of the pattern.
    async said(pattern) {
      for (let i = 0; i < 600; i++) {
        const found = log.match(pattern);
        if (found) return found[1];
        if (box.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`the box never said ${pattern}:\n${log}`);
    },

    async addresses() {
      const { http, https, sstp } = JSON.parse(await run("status", "--json")).listeners;
      return { http, https, sstp };
    },

    async stop() {
      const ended = box.exitCode === null ? new Promise((resolve) => box.on("close", resolve)) : null;
      box.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

// until tries something until it succeeds, and gives up after a minute.
export async function until(what, action) {
  for (const end = Date.now() + 60_000; ;) {
    try {
      return await action();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
