// Lets axe look at pages in Chromium, on a wide light screen and a narrow dark one, and prints what it finds, a line each; nothing where
// it finds nothing. node axe.mjs CHROMIUM URL …, in a folder whose node_modules have axe-core and playwright-core.
import { createRequire } from "module";
import fs from "fs";
import path from "path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [executablePath, ...urls] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const [colorScheme, width] of [["light", 1280], ["dark", 390]]) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
  for (const url of urls) {
    const page = await context.newPage();
    await page.goto(url, { waitUntil: "load" });
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const where = `${new URL(url).pathname} ${colorScheme} ${width}`;
    for (const one of found.violations) console.log(`${where}: ${one.id}, ${one.nodes.length} times, first at ${one.nodes[0].target.join(" ")}`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) console.log(`${where}: the page is ${over} px wider than the screen`);
    await page.close();
  }
  await context.close();
}
await browser.close();
