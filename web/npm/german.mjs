// The pages in German, whose words are longer: each is there and none is wider than a phone. The pictures are for a reader.
import { join } from "node:path";
import { pictures, problems } from "./look.mjs";

// german opens pages by their names and paths as the person who is signed in at another page.
export async function german(browser, page, paths) {
  const context = await browser.newContext({
    baseURL: new URL("/", page.url()).href, ignoreHTTPSErrors: true, locale: "de-DE",
    storageState: await page.context().storageState(), viewport: { width: 360, height: 760 },
  });
  const here = await context.newPage();
  for (const [name, path] of Object.entries(paths)) {
    const answer = await here.goto(path);
    const language = await here.locator("html").getAttribute("lang");
    if (!answer.ok() || language !== "de") problems.push(`${name} in German: ${answer.status()}, ${language}`);
    if (await here.evaluate(() => document.documentElement.scrollWidth > innerWidth)) problems.push(`${name} in German: wider than the window`);
    await here.screenshot({ path: join(pictures, `${name}-german.png`), fullPage: true });
  }
  await context.close();
}
