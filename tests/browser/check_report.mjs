#!/usr/bin/env node
// Opens HTML reports in headless Chromium and checks what only a browser can tell: that no script
// fails, nothing breaks the content security policy, nothing is requested, and that all is there
// with script off, with the policy taken away, in both themes and on a narrow screen.
//
// Usage: check_report.mjs REPORT.html...
// Needs Node 20 and Chromium (CHROMIUM=/path/to/chromium, or chromium on the PATH); no packages.
// Prints one line per check; exits with 0 when all hold, 1 when one fails, 2 on wrong usage.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const PATIENCE_MS = 60_000;
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
  "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-extensions", "--mute-audio",
  "--disable-features=NetworkTimeServiceQuerying,PreconnectToSearch,OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
  "--remote-debugging-pipe",
];

/** A proxy that refuses every connection and remembers who was asked for. */
async function recordingProxy() {
  const asked = [];
  const server = net.createServer((socket) => {
    socket.once("data", (data) => {
      asked.push(data.toString("latin1").split("\r\n", 1)[0]);
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    socket.on("error", () => {});
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { asked, port: server.address().port, close: () => server.close() };
}

/** Chromium, spoken to by the DevTools protocol over a pipe: JSON messages that end in NUL. */
class Browser {
  static async start(proxyPort) {
    const profile = await mkdtemp(path.join(os.tmpdir(), "report-check-"));
    const flags = [
      ...FLAGS, `--user-data-dir=${profile}`,
      `--proxy-server=http://127.0.0.1:${proxyPort}`, "--proxy-bypass-list=<-loopback>",
    ];
    const process = spawn(globalThis.process.env.CHROMIUM ?? "chromium", flags, {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    return new Browser(process, profile);
  }

  constructor(process, profile) {
    Object.assign(this, { process, profile, calls: new Map(), listeners: [], lastId: 0, rest: "" });
    process.on("error", (error) => this.fail(new Error(`Chromium cannot be started: ${error.message}`)));
    process.on("exit", () => this.fail(new Error("Chromium has ended")));
    process.stdio[3].on("error", () => {});
    process.stdio[4].setEncoding("utf8").on("data", (text) => this.receive(text));
  }

  fail(error) {
    this.failure ??= error;
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }

  receive(text) {
    const messages = (this.rest + text).split("\0");
    this.rest = messages.pop();
    for (const message of messages.map((one) => JSON.parse(one))) {
      const call = this.calls.get(message.id);
      if (!call) {
        for (const listener of this.listeners) listener(message);
      } else {
        this.calls.delete(message.id);
        if (message.error) call.reject(new Error(`${call.method}: ${message.error.message}`));
        else call.resolve(message.result);
      }
    }
  }

  send(method, params = {}, sessionId = undefined) {
    if (this.failure) return Promise.reject(this.failure);
    const id = ++this.lastId;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.calls.set(id, { method, resolve, reject }));
  }

  async close() {
    const isRunning = this.process.pid !== undefined && this.process.exitCode === null;
    if (isRunning) {
      const ended = new Promise((resolve) => this.process.once("exit", resolve));
      await this.send("Browser.close").catch(() => this.process.kill("SIGKILL"));
      await ended;
    }
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A tab that keeps account of everything that a quiet page does not do. */
class Tab {
  static async open(browser, url, { script }) {
    const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(browser, targetId, sessionId);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await tab.send(`${domain}.enable`);
    await tab.send("Page.addScriptToEvaluateOnNewDocument", {
      source: `window.policyViolations = [];
        addEventListener("securitypolicyviolation", (event) =>
          window.policyViolations.push(event.violatedDirective + " " + event.blockedURI), true);`,
    });
    await tab.send("Emulation.setScriptExecutionDisabled", { value: !script });
    const loaded = tab.once("Page.loadEventFired");
    await tab.send("Page.navigate", { url });
    await loaded;
    // Once a frame is drawn, everything that the page starts by itself has been started.
    await tab.send("Page.captureScreenshot");
    return tab;
  }

  constructor(browser, targetId, sessionId) {
    Object.assign(this, { browser, targetId, sessionId, trouble: [], requests: [], waiting: new Map() });
    this.listener = (message) => message.sessionId === sessionId && this.hear(message);
    browser.listeners.push(this.listener);
  }

  hear({ method, params }) {
    this.waiting.get(method)?.(params);
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    if (method === "Runtime.exceptionThrown") this.trouble.push(`exception: ${params.exceptionDetails.text}`);
    if (method === "Runtime.consoleAPICalled") this.trouble.push(`console.${params.type}`);
    if (method === "Log.entryAdded") this.trouble.push(`${params.entry.source}: ${params.entry.text}`);
    if (method === "Page.javascriptDialogOpening") {
      this.trouble.push(`dialog: ${params.message}`);
      this.send("Page.handleJavaScriptDialog", { accept: false }).catch(() => {});
    }
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId);
  }

  once(method) {
    return new Promise((resolve) => this.waiting.set(method, resolve));
  }

  async evaluate(expression) {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  call(run, ...given) {
    return this.evaluate(`(${run})(${given.map((one) => JSON.stringify(one)).join(",")})`);
  }

  async close() {
    this.browser.listeners = this.browser.listeners.filter((one) => one !== this.listener);
    await this.browser.send("Target.closeTarget", { targetId: this.targetId });
  }
}

// The functions below run in the page.

function marksAgainstData() {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const drawn = (selector) => document.querySelectorAll(`svg .mark.${selector}`).length;
  return {
    decision: [document.getElementById("decision").textContent, data.verdict.decision],
    boxes: [drawn("box"), data.latency.filter((one) => one.box_plot !== null).length],
    lines: [drawn("ecdf"), data.latency.filter((one) => one.ecdf.length > 0).length],
    "error bars": [drawn("error-bar"), data.errors_over_time.length],
    "cost bars": [drawn("cost-bar"), data.cost.filter((one) => one.monthly_usd !== null).length],
    intervals: [drawn("interval"), data.verdict.criteria.length],
  };
}

function foreignNodes() {
  const forbidden = "img,iframe,frame,object,embed,form,video,audio,source,base,portal,use,image,foreignObject,animate,set";
  const found = [...document.querySelectorAll(forbidden)].map((node) => node.localName);
  for (const node of document.querySelectorAll("*")) {
    for (const { name, value } of node.attributes) {
      const loads = ["src", "srcset", "poster", "action", "formaction", "ping"].includes(name);
      const leaves = name.endsWith("href") && !value.startsWith("#") && value !== "data:,";
      if (name.startsWith("on") || loads || leaves) found.push(`${node.localName}[${name}]`);
    }
  }
  const scripts = document.querySelectorAll("script").length;
  if (scripts !== 2) found.push(`${scripts} scripts`);
  return found;
}

function badCharts() {
  return [...document.querySelectorAll("svg.chart")].filter((chart) => {
    const { width, height } = chart.getBoundingClientRect();
    const named = chart.querySelector(":scope > title")?.textContent && chart.querySelector(":scope > desc")?.textContent;
    const data = chart.closest(".chart-block")?.querySelector("details table, details .empty");
    return !(width > 0 && height > 0 && named && data);
  }).map((chart) => chart.id);
}

function sortsRows() {
  const table = [...document.querySelectorAll("table.data")]
    .find((one) => one.tBodies[0].rows.length > 2 && one.querySelector("tbody td[data-sort]"));
  if (!table) return "no table to sort";
  const column = [...table.tBodies[0].rows[0].cells].findIndex((cell) => cell.dataset.sort !== undefined);
  const head = table.querySelectorAll("tr.heads th")[column];
  const button = head.querySelector("button");
  if (!button) return "the script has not run";
  const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.sort)
    .filter((value) => value !== undefined).map((value) => Number(value.replace("inf", "Infinity")));
  button.click();
  const rising = values().every((value, i, all) => i === 0 || all[i - 1] <= value);
  button.click();
  const falling = values().every((value, i, all) => i === 0 || all[i - 1] >= value);
  return rising && falling && head.getAttribute("aria-sort") === "descending" ? "" : "rows are not in order";
}

// Contrast by WCAG 2.2, success criterion 1.4.3, of every text against the colour behind it.
function faintTexts() {
  const parse = (text) => (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const [r, g, b, alpha = 1] = parse(getComputedStyle(one).backgroundColor);
      if (alpha > 0.9) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const ownText = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    const { width, height } = node.getBoundingClientRect();
    if (!ownText || width === 0 || height === 0 || ["SCRIPT", "title", "desc"].includes(node.nodeName)) continue;
    const style = getComputedStyle(node);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ink = parse(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [light, dark] = [luminance(ink), luminance(behind(node))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < (isLarge ? 3 : 4.5)) {
      faint.add(`${node.localName}.${node.getAttribute("class") ?? ""} ${contrast.toFixed(2)}`);
    }
  }
  return [...faint];
}

function overflow() {
  return document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth;
}

// From here on in Node again.

class Checks {
  failed = 0;

  check(name, problems) {
    const list = [problems].flat().filter(Boolean);
    if (list.length > 0) this.failed += 1;
    const detail = list.length > 0 ? `: ${list.slice(0, 5).join("; ").slice(0, 400)}` : "";
    console.log(`${list.length > 0 ? "FAIL" : "ok  "} ${name}${detail}`);
  }
}

async function checkQuiet(checks, tab, url, name) {
  const violations = (await tab.evaluate("window.policyViolations ?? []")).map((one) => `policy: ${one}`);
  checks.check(`${name}: no script error, console message, dialog or policy violation`, [...tab.trouble, ...violations]);
  const others = tab.requests.filter((one) => one !== url && one !== "data:,");
  checks.check(`${name}: no request but the file itself`, others);
}

async function checkContent(checks, tab, name) {
  const marks = Object.entries(await tab.call(marksAgainstData));
  const told = marks.map(([what, [drawn]]) => `${what} ${drawn}`).join(", ");
  const wrong = marks.filter(([, [drawn, wanted]]) => drawn !== wanted);
  checks.check(`${name}: marks as in the data (${told})`, wrong.map(([what, pair]) => `${what} ${pair.join(" instead of ")}`));
  checks.check(`${name}: no element or attribute that loads, runs or leaves`, await tab.call(foreignNodes));
}

async function checkLooks(checks, tab) {
  checks.check("charts have a size, a title, a description and their data", await tab.call(badCharts));
  for (const theme of ["light", "dark"]) {
    const features = [{ name: "prefers-color-scheme", value: theme }];
    await tab.send("Emulation.setEmulatedMedia", { features });
    checks.check(`${theme}: every text has enough contrast`, await tab.call(faintTexts));
  }
  for (const width of [1280, 768, 390]) {
    await tab.send("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
    const excess = await tab.call(overflow);
    checks.check(`${width} px: the page does not scroll sideways`, excess > 0 ? `${excess} px too wide` : []);
  }
  const { data } = await tab.send("Page.printToPDF", { preferCSSPageSize: true });
  checks.check("the page prints", data.length > 1000 ? [] : "the PDF is empty");
}

async function checkReport(checks, browser, file, scratch) {
  console.log(file);
  const url = pathToFileURL(path.resolve(file)).href;
  const tab = await Tab.open(browser, url, { script: true });
  await checkQuiet(checks, tab, url, "with script");
  await checkContent(checks, tab, "with script");
  checks.check("with script: tables can be sorted", await tab.call(sortsRows));
  await checkLooks(checks, tab);
  await tab.close();

  const still = await Tab.open(browser, url, { script: false });
  await checkQuiet(checks, still, url, "without script");
  await checkContent(checks, still, "without script");
  await still.close();

  // The policy is the second wall; escaping alone must hold as well.
  const page = await readFile(file, "utf8");
  const bare = page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
  checks.check("the page names a content security policy", bare === page ? "it has none" : []);
  const copy = path.join(scratch, "without-policy.html");
  await writeFile(copy, bare);
  const open = await Tab.open(browser, pathToFileURL(copy).href, { script: true });
  await checkQuiet(checks, open, pathToFileURL(copy).href, "without policy");
  await checkContent(checks, open, "without policy");
  await open.close();
}

/**
 * The connections that were asked for on behalf of a report. The browser has connections of its
 * own (time, updates, its search page) that no flag turns off reliably; a page can only ask for a
 * host whose name it holds, even where the page's own account of requests is silent (preconnect,
 * name look-up).
 */
async function namedHosts(asked, files) {
  const pages = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return asked.filter((line) => {
    const host = /^[A-Z]+ (?:[a-z]+:\/\/)?([^/: ]+)/.exec(line)?.[1] ?? line;
    return pages.some((page) => page.includes(host));
  });
}

async function main(files) {
  if (files.length === 0) {
    console.error("usage: check_report.mjs REPORT.html...");
    return 2;
  }
  const checks = new Checks();
  const proxy = await recordingProxy();
  const scratch = await mkdtemp(path.join(os.tmpdir(), "report-check-"));
  const browser = await Browser.start(proxy.port);
  const tooLong = setTimeout(() => browser.fail(new Error("Chromium does not answer")), PATIENCE_MS * files.length);
  try {
    for (const file of files) await checkReport(checks, browser, file, scratch);
    checks.check("no connection to a host that a report names", await namedHosts(proxy.asked, files));
  } catch (error) {
    checks.check("the check ran to its end", error.message);
  } finally {
    clearTimeout(tooLong);
    await browser.close().catch(() => {});
    proxy.close();
    await rm(scratch, { recursive: true, force: true });
  }
  console.log(checks.failed === 0 ? "all checks hold" : `${checks.failed} checks fail`);
  return checks.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
