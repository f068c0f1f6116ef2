// A day at the office: what somebody does at the pages, and what clients see of it on the wire.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { until } from "./box.mjs";
import { lookHere, problems } from "./look.mjs";

// expected is how long something may take to show that happens by itself, in milliseconds.
const expected = 60_000;

// office needs a page of an administrator, a member called Bob Jones who has not joined, and a folder for his client. It
// returns him as he is then.
export async function office(page, box, homes) {
  const bob = await joins(page, box, "Bob Jones", join(homes, "bob"));
  await seenOnline(page, box, bob);
  await policyChanged(page, box, bob);
  await resetApproved(page, box, bob);
  await disabled(page, box, bob);
  await imported(page, 500);
  return bob;
}

// joins has a client become the member of a name with the code that the member's page shows.
async function joins(page, box, name, home) {
  await page.goto("/members");
  await page.getByRole("link", { name }).click();
  const path = new URL(page.url()).pathname;
  const code = await page.locator("section.code dd code").last().innerText();
  const server = `http://${(await box.addresses()).http}`;
  await box.run("client", "join", "--server", server, "--code", code, "--home", home);
  await until("the relay knows the member", () => box.run("client", "register", "--home", home));
  await page.goto(path);
  await page.locator(".head .status.active").waitFor();
  return { name, home, path };
}

// seenOnline looks at the dashboard, which is not loaded again, while a client comes and goes.
async function seenOnline(page, box, member) {
  await page.goto("/");
  const online = page.locator("#online");
  await online.filter({ hasText: /^0$/ }).waitFor();
  const loaded = await page.evaluate(() => performance.timeOrigin);
  const client = spawn(box.furrow, ["client", "presence", "--home", member.home], { stdio: "ignore" });
  const ended = new Promise((resolve) => client.on("close", resolve));
  try {
    await online.filter({ hasText: /^1$/ }).waitFor({ timeout: expected });
  } finally {
    client.kill("SIGTERM");
    await ended;
  }
  await online.filter({ hasText: /^0$/ }).waitFor({ timeout: expected });
  if (loaded !== await page.evaluate(() => performance.timeOrigin)) problems.push("the dashboard was loaded again");
}

// policyChanged changes a setting in the form of the policy that everybody has, and has a client notice.
async function policyChanged(page, box, member) {
  await page.goto("/policies");
  await page.getByRole("link", { name: "Default" }).first().click();
  await page.getByRole("link", { name: "Change" }).click();
  await page.locator("input[name='identity.backupInterval']").fill("12");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.locator("td strong").filter({ hasText: /^12$/ }).waitFor();
  await lookHere(page, "policy-diff");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".note.good").waitFor();
  const changed = await box.run("client", "update", "--home", member.home);
  if (!changed.includes("IdentityPolicy")) problems.push(`a changed policy was told as ${changed}`);
}

// resetApproved approves that a member who forgot the passphrase gets the account's keys, and has the client take them.
async function resetApproved(page, box, member) {
  await box.run("client", "reset-request", "--home", member.home);
  await page.goto("/resets");
  await page.getByRole("link", { name: member.name }).click();
  await lookHere(page, "reset");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.locator(".status.reset-approved").waitFor();
  const status = JSON.parse(await box.run("client", "reset-status", "--home", member.home, "--json")).status;
  if (status !== "recovered") problems.push(`an approved reset was told as ${status}`);
}

// imported adds members from a file of so many lines, of which two are bad and must be named.
async function imported(page, lines) {
  const rows = ["Full name,E-mail"];
  for (let i = 1; i <= lines; i++) rows.push(`Worker ${i},worker${i}@example.com`);
  rows[100] = "Worker 100,";
  rows[300] = "Worker 300,no address";
  await page.goto("/members/import");
  await page.locator("input[type=file]").setInputFiles({
    name: "members.csv", mimeType: "text/csv", buffer: Buffer.from(rows.join("\n")),
  });
  await page.getByRole("button", { name: "Look at it first" }).click();
  for (const line of ["101", "301"]) await page.getByRole("rowheader", { name: line, exact: true }).waitFor();
  await lookHere(page, "member-import");
  await page.getByRole("button", { name: "Import the rest" }).click();
  await page.waitForURL("**/members?*");
  await page.goto("/members?q=worker");
  await page.getByText(`of ${lines - 2}`).waitFor();
}

// disabled has a member disabled, whose client is refused, and enabled again.
async function disabled(page, box, member) {
  await page.goto(member.path);
  await page.getByRole("button", { name: "Disable" }).click();
  await page.locator(".head .status.disabled").waitFor();
  const refused = await box.run("client", "update", "--home", member.home).catch((error) => error.message);
  if (!/fault 2\d\d/.test(refused)) problems.push(`a disabled member's client was told ${refused}`);
  await page.getByRole("button", { name: "Enable" }).click();
  await page.locator(".head .status.active").waitFor();
  await box.run("client", "update", "--home", member.home);
}
