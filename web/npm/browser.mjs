// The pages in a real browser, over the real https port of a real box: the set-up from nothing to the first member,
// then every page in light and dark and three widths, without violations that axe-core finds and without errors in the
// console. Pictures are left in ../../bin/screenshots. Usage: node browser.mjs FURROW CHROMIUM
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [furrow, executablePath] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const pictures = join(here, "../../bin/screenshots");
mkdirSync(pictures, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const problems = [];

// The box says in its log where it listens and what the set-up code is.
const data = mkdtempSync(join(tmpdir(), "furrow-browser-"));
const box = spawn(furrow, ["--data", data, "serve", "--server-url", "http://groove.example.com/gms.dll",
  "--listen", "http=127.0.0.1:0", "--listen", "https=127.0.0.1:0", "--listen", "sstp=127.0.0.1:0"]);
let log = "";
box.stderr.on("data", (text) => { log += text; });
box.stdout.on("data", (text) => { log += text; });

async function until(pattern) {
  for (let i = 0; i < 600; i++) {
    const found = log.match(pattern);
    if (found) return found[1];
    if (box.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the box never said ${pattern}:\n${log}`);
}

function status() {
  return new Promise((resolve, reject) => {
    const asked = spawn(furrow, ["--data", data, "status", "--json"]);
    let text = "";
    asked.stdout.on("data", (part) => { text += part; });
    asked.on("error", reject);
    asked.on("close", (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`furrow status: ${code}`))));
  });
}

async function check(page, path, name) {
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of [360, 768, 1280]) {
      await page.setViewportSize({ width, height: width === 360 ? 760 : 900 });
      await page.goto(path);
      const label = `${name}-${theme}-${width}`;
      await page.screenshot({ path: join(pictures, `${label}.png`), fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (wide) problems.push(`${label}: wider than the window`);
      const found = await page.evaluate(() => globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      }));
      for (const v of found.violations) {
        problems.push(`${label}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
      }
    }
  }
}

let browser;
try {
  const code = await until(/code="?([A-Za-z0-9-]+)/);
  const address = (await status()).listeners.https;
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const context = await browser.newContext({ baseURL: `https://${address}`, ignoreHTTPSErrors: true, locale: "en-US" });
  await context.addInitScript({ content: axe });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console of ${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script of ${page.url()}: ${error}`));

  await check(page, "/", "setup");
  await page.getByLabel("Set-up code").fill(code);
  await page.getByLabel("Full name").fill("Ann Smith");
  await page.getByLabel("Name to sign in with").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill("seven purple ploughs");
  await page.getByRole("button", { name: "Become administrator" }).click();
  await page.waitForURL("**/setup/address");
  await check(page, "/setup/address", "setup-address");
  await page.getByRole("link", { name: "Continue" }).click();
  await check(page, "/setup/domain", "setup-domain");
  await page.getByLabel("Organization").fill("Contoso");
  await page.getByLabel("Name of the domain").fill("Office");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL("**/setup/mail", { timeout: 60_000 });
  await check(page, "/setup/mail", "setup-mail");
  await page.getByRole("link", { name: "Skip this for now" }).click();
  await check(page, "/setup/members", "setup-members");
  await page.getByLabel("People, one a line").fill("Bob Jones <bob@example.com>\nEva Köhler, eva@example.com\nZoë Okafor; zoe@example.com");
  await page.getByRole("button", { name: "Add" }).click();
  await page.waitForURL("**/setup/done");
  await page.getByText("Account configuration code", { exact: true }).waitFor();
  await check(page, "/setup/done", "setup-done");

  await page.goto("/members");
  const member = await page.getByRole("link", { name: "Bob Jones" }).getAttribute("href");
  await page.goto("/domains");
  const domain = await page.getByRole("link", { name: "Office" }).getAttribute("href");
  const all = {
    dashboard: "/", domains: "/domains", "domain-new": "/domains/new", domain, "domain-delete": `${domain}/delete`,
    members: "/members", "members-empty": "/members?q=nobody", "member-new": "/members/new", member,
    "member-edit": `${member}/edit`, "member-delete": `${member}/delete`, "member-code": `${member}/code`,
    welcome: `${member}/welcome`, preferences: "/preferences", about: "/about",
  };
  for (const [name, path] of Object.entries(all)) await check(page, path, name);
  await page.goto("/");
  await page.getByText("Ann Smith").click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await check(page, "/sign-in", "signin");
} catch (error) {
  problems.push(String(error.stack));
} finally {
  await browser?.close();
  box.kill("SIGTERM");
  await new Promise((resolve) => box.on("close", resolve));
  rmSync(data, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "every page is well" : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
