// The set-up from an empty box to the first members.
import { administrator } from "./box.mjs";
import { look } from "./look.mjs";

export async function setUp(page, code) {
  await look(page, "/setup/restore", "setup-restore");
  await look(page, "/", "setup");
  await page.getByLabel("Set-up code").fill(code);
  await page.getByLabel("Full name").fill(administrator.fullName);
  await page.getByLabel("Name to sign in with").fill(administrator.name);
  await page.getByLabel("Password", { exact: true }).fill(administrator.password);
  await page.getByRole("button", { name: "Become administrator" }).click();
  await page.waitForURL("**/setup/factor");
  await look(page, "/setup/factor", "setup-factor");
  await page.getByRole("link", { name: "Skip this for now" }).click();
  await page.waitForURL("**/setup/address");
  await look(page, "/setup/address", "setup-address");
  await page.getByRole("link", { name: "Continue" }).click();
  await look(page, "/setup/domain", "setup-domain");
  await page.getByLabel("Organization").fill("Contoso");
  await page.getByLabel("Name of the domain").fill("Office");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL("**/setup/mail", { timeout: 60_000 });
  await look(page, "/setup/mail", "setup-mail");
  await page.getByRole("link", { name: "Skip this for now" }).click();
  await look(page, "/setup/members", "setup-members");
  await page.getByLabel("People, one a line").fill("Bob Jones <bob@example.com>\nEva Köhler, eva@example.com\nZoë Okafor; zoe@example.com");
  await page.getByRole("button", { name: "Add" }).click();
  await page.waitForURL("**/setup/done");
  await page.getByText("Account configuration code", { exact: true }).waitFor();
  await look(page, "/setup/done", "setup-done");
}
