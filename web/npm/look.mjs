// How a page is looked at: in light and dark and three widths, by axe-core, for errors in the console, and as a picture.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// pictures is the folder that they are left in.
export const pictures = join(dirname(fileURLToPath(import.meta.url)), "../../bin/screenshots");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// problems is everything that was found.
export const problems = [];

// open returns a page of a browser at an address, whose errors are problems unless they are expected.
export async function open(browser, baseURL, expected = /^$/) {
  mkdirSync(pictures, { recursive: true });
  // Colours that are on their way from light to dark are no colours to judge.
  const context = await browser.newContext({ baseURL, ignoreHTTPSErrors: true, locale: "en-US", reducedMotion: "reduce" });
  await context.addInitScript({ content: axe });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) problems.push(`console of ${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script of ${page.url()}: ${error}`));
  return page;
}

// look goes to a path and looks at what is there.
export async function look(page, path, name) {
  await page.goto(path);
  await lookHere(page, name);
}

// lookHere looks at what a page shows now, such as the answer to a form.
export async function lookHere(page, name) {
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of [360, 768, 1280]) {
      await page.setViewportSize({ width, height: width === 360 ? 760 : 900 });
      await examine(page, `${name}-${theme}-${width}`);
    }
  }
}

async function examine(page, label) {
  await page.screenshot({ path: join(pictures, `${label}.png`), fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  if (wide) problems.push(`${label}: wider than the window`);
  const found = await page.evaluate((runOnly) => globalThis.axe.run(document, { runOnly }), rules);
  for (const v of found.violations) {
    problems.push(`${label}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
  }
}
