// The worst day: a backup is made, the box and all it had are gone, and a new one goes on where it was.
import { administrator, start, until } from "./box.mjs";
import { lookHere, open } from "./look.mjs";

const passphrase = "a dozen brown hens";

// restored downloads a backup of the box, wipes it and has the set-up of a new one at the same addresses restore it. It
// returns the new box, which the member's client goes on with.
export async function restored(browser, page, box, member) {
  await page.goto("/backup/download");
  await page.getByLabel("Passphrase for this backup").fill(passphrase);
  const [download] = await Promise.all([
    page.waitForEvent("download"), page.getByRole("button", { name: "Download a backup" }).click(),
  ]);
  const backup = `${member.home}.backup`;
  await download.saveAs(backup);
  const addresses = await box.addresses();
  await page.context().close();
  await box.stop();

  const next = start(box.furrow, addresses);
  try {
    const code = await next.said(/code="?([A-Za-z0-9-]+)/);
    // While the box starts again nobody answers, and the browser says so of each try.
    const fresh = await open(browser, `https://${addresses.https}`, /ERR_CONNECTION/);
    await fresh.goto("/");
    await fresh.getByRole("link", { name: "Restore a box from a backup" }).click();
    await fresh.getByLabel("Set-up code").fill(code);
    await fresh.getByLabel("Passphrase of the backups").fill(passphrase);
    await fresh.getByLabel("Backup", { exact: true }).setInputFiles(backup);
    await fresh.getByRole("button", { name: "Restore" }).click();
    await fresh.getByText("The backup is sound").waitFor({ timeout: 60_000 });
    await lookHere(fresh, "setup-restored");
    await next.said(/(restored box is in place)/);
    await signIn(fresh);
    await fresh.goto(member.path);
    await fresh.getByRole("heading", { name: member.name }).waitFor();
    await next.run("client", "update", "--home", member.home);
    await fresh.context().close();
  } catch (error) {
    await next.stop();
    throw error;
  }
  return next;
}

// signIn signs in the administrator that the set-up has made, and tries until the box answers: it may be starting again.
export async function signIn(page) {
  await until("the page to sign in", () => page.goto("/sign-in"));
  await page.getByLabel("Name", { exact: false }).first().fill(administrator.name);
  await page.getByLabel("Password").fill(administrator.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}
