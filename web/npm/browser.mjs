// The pages in a real browser, over the real https port of a real box: the set-up from nothing to the first member, a
// day at the office, every page in light and dark and three widths, without violations that axe-core finds and without
// errors in the console, and the restore of the box after it was lost. Pictures are left in ../../bin/screenshots.
// Usage: node browser.mjs FURROW CHROMIUM
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { administrator, start } from "./box.mjs";
import { german } from "./german.mjs";
import { look, lookHere, open, problems } from "./look.mjs";
import { office } from "./office.mjs";
import { ofPeople } from "./people.mjs";
import { plain } from "./plain.mjs";
import { restored, signIn } from "./restore.mjs";
import { setUp } from "./setup.mjs";

const [furrow, executablePath] = process.argv.slice(2);
const homes = mkdtempSync(join(tmpdir(), "furrow-office-"));
let box = start(furrow);
let browser;
try {
  const code = await box.said(/code="?([A-Za-z0-9-]+)/);
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await open(browser, `https://${(await box.addresses()).https}`);
  await setUp(page, code);
  const bob = await office(page, box, homes);

  const member = bob.path;
  await page.goto("/domains");
  const domain = await page.getByRole("link", { name: "Office" }).getAttribute("href");
  await page.goto("/relay-sets");
  const set = await page.getByRole("link", { name: "Default" }).getAttribute("href");
  await page.goto("/relays");
  const relay = await page.locator("tbody a").first().getAttribute("href");
  const all = {
    dashboard: "/", domains: "/domains", "domain-new": "/domains/new", domain, "domain-delete": `${domain}/delete`,
    members: "/members", "members-empty": "/members?q=nobody", "member-new": "/members/new", member,
    "member-edit": `${member}/edit`, "member-delete": `${member}/delete`, "member-code": `${member}/code`,
    welcome: `${member}/welcome`, preferences: "/preferences", about: "/about",
    backup: "/backup", "backup-settings": "/backup/settings?kind=sftp", "backup-download": "/backup/download", "backup-end": "/backup/end",
    alerts: "/alerts", "alert-settings": "/alerts/settings",
    actions: "/actions", "actions-check": "/actions/check", "actions-settings": "/actions/settings", action: "/actions/1",
    logs: "/logs", doctor: "/doctor", certificates: "/certificates", "certificate-remove": "/certificates/remove", address: "/address",
    updates: "/updates", power: "/power", "power-again": "/power/again", support: "/support", "support-close": "/support/close",
    reports: "/reports", "report-members": "/reports/members", "report-contact": "/reports/contact", "report-backups": "/reports/backups",
    "report-usage": "/reports/usage", "report-traffic": "/reports/traffic", "report-queues": "/reports/queues", "report-failures": "/reports/failures",
    "report-settings": "/reports/settings",
    "relay-sets": "/relay-sets", "relay-set-new": "/relay-sets/new", "relay-set": set, "relay-set-delete": `${set}/delete`,
    relays: "/relays", relay, "relay-new": "/relays/new", "manager-new": "/relays/new-manager",
    queues: "/queues", trust: "/trust", "trust-new": "/trust/new", directories: "/directory", "directory-new": "/directory/_new",
    mail: "/mail", outbox: "/outbox", invitations: "/invitations", invitation: "/invitations/en", "invitation-reset": "/invitations/en/reset", "mail-off": "/mail/off",
    audit: "/audit", "audit-devices": "/audit/devices", "audit-files": "/audit/files", "audit-settings": "/audit/settings",
    account: "/account", "account-password": "/account/password", "account-authenticator": "/account/authenticator",
    administrators: "/administrators", "administrator-new": "/administrators/new", administrator: `/administrators/of/${administrator.name}`,
    "administrator-password": `/administrators/of/${administrator.name}/password`, roles: "/roles", tokens: "/tokens", "token-new": "/tokens/new",
    network: "/network", "network-reset": "/network/reset", clock: "/clock",
  };
  Object.assign(all, await ofPeople(page, member));
  for (const [name, path] of Object.entries(all)) await look(page, path, name);
  await german(browser, page, all);
  await plain(browser, `https://${(await box.addresses()).https}`, all);
  await page.goto("/tokens/new");
  await page.getByLabel("Name").fill("prometheus");
  await page.getByLabel("Role").selectOption("metrics");
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByText("scrape_configs").waitFor();
  await lookHere(page, "token-metrics");
  await page.goto("/");
  await page.getByText(administrator.fullName).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await look(page, "/sign-in", "signin");
  await signIn(page);
  box = await restored(browser, page, box, bob);
} catch (error) {
  problems.push(String(error.stack));
} finally {
  await browser?.close();
  await box.stop();
  rmSync(homes, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "every page is well" : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
