// The pages in a browser that runs no scripts: they are all there, and forms do what they say.
import { problems } from "./look.mjs";
import { signIn } from "./restore.mjs";

// plain signs in without scripts, opens pages by their names and paths, and uses a form, a list and a question of the
// frame, of which all are made.
export async function plain(browser, baseURL, paths) {
  const context = await browser.newContext({ baseURL, ignoreHTTPSErrors: true, locale: "en-US", javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page);
  for (const [name, path] of Object.entries(paths)) {
    const answer = await page.goto(path);
    const heading = await page.locator("main h1").first().isVisible();
    if (!answer.ok() || !heading) problems.push(`${name} without scripts: ${answer.status()}, ${heading ? "a" : "no"} heading`);
    if (!new URL(page.url()).pathname.startsWith(path.split("?")[0])) problems.push(`${name} without scripts leads to ${page.url()}`);
  }

  await page.goto("/members");
  await page.getByRole("searchbox").fill("Eva");
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL("**q=Eva**");
  if (await page.getByRole("link", { name: "Bob Jones" }).count()) problems.push("a search without scripts finds everybody");
  await page.getByRole("link", { name: "Eva Köhler" }).click();
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Organization").fill("Without scripts");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".note.good").waitFor();
  await page.locator("dd", { hasText: "Without scripts" }).first().waitFor();
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.locator(".note.good").waitFor();

  await page.getByText("Ann Smith").first().click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await context.close();
}
