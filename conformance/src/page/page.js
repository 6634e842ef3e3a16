const packed = Uint8Array.from(atob(document.getElementById("report").textContent), letter => letter.charCodeAt(0));
const json = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const report = await new Response(json).json();
const checks = report.checks;
const WORDS = {
  "passed": ["✓", "passed"], "failed": ["✗", "failed"], "error": ["!", "no verdict"], "skipped": ["–", "skipped"],
  "known-failure": ["◆", "known"], "unexpected-pass": ["★", "passes now"],
};
const ORDER = ["failed", "error", "unexpected-pass", "known-failure", "passed", "skipped"];
const isBad = check => check.status === "failed" || check.status === "error";
const isSoft = check => check.level !== "must";
const breaks = checks.some(check => isBad(check) && !isSoft(check));

// Every text goes in as text: nothing of a registry's becomes markup.
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined));
  return element;
}

const state = { search: "", status: new Set(), level: "", group: "" };

function head() {
  const bad = checks.filter(check => isBad(check) && !isSoft(check)).length;
  const must = count(check => check.level === "must"), held = count(check => check.level === "must" && check.status === "passed");
  // A check of a matrix is a push of one of several clients.
  const [verdict, sentence] = report.kind === "matrix"
    ? [`${breaks ? "Not all" : "All"} pushes of these clients went well`, `${held} of ${must} pushes went well: ${report.subject}`]
    : [`${report.subject} ${report.kind === "registry" ? breaks ? "does not conform" : "conforms, as far as was asked"
      : breaks ? "breaks the rules" : "keeps the rules"}`,
    breaks ? `${bad} of ${must} MUST count against it` : `${held} MUST hold`];
  document.title = `${breaks ? "✗" : "✓"} ${report.subject}`;
  const facts = Object.entries(report.properties || {});
  if (report.started) facts.unshift(["date", report.started]);
  facts.push(["duration", `${report.seconds.toFixed(1)} s`], ["tool", report.tool]);
  document.getElementById("head").replaceChildren(
    make("div", { class: "bar" },
      make("button", { type: "button", on: { click: theme }, "aria-label": "Light or dark" }, "◐"),
      make("button", { type: "button", on: { click: () => keys.showModal() }, "aria-label": "Keys" }, "?")),
    make("div", { class: `verdict ${breaks ? "bad" : "good"}` },
      make("span", { class: "sign", "aria-hidden": "true" }, breaks ? "✗" : "✓"),
      make("div", {}, make("h1", {}, verdict), make("p", {}, sentence))),
    make("dl", { class: "facts" }, facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
}

const count = holds => checks.filter(holds).length;

function meter(of) {
  const meter = make("div", { class: "meter", role: "presentation" });
  for (const status of ORDER) {
    const some = of.filter(check => check.status === status);
    if (some.length) {
      const bar = make("i", { class: `${status}${some.every(isSoft) ? " soft" : ""}` });
      bar.style.width = `${100 * some.length / of.length}%`;
      meter.append(bar);
    }
  }
  return meter;
}

function overview() {
  const levels = ["must", "should", "may", "quirk"].map(level => {
    const of = checks.filter(check => check.level === level);
    if (!of.length) return null;
    const judged = of.filter(check => check.status !== "skipped");
    const held = judged.filter(check => check.status === "passed" || check.status === "unexpected-pass");
    return make("div", { class: "level" }, make("b", {}, `${held.length}/${judged.length} `),
      `${level.toUpperCase()} hold`, judged.length < of.length ? `, ${of.length - judged.length} skipped` : "", meter(of));
  });
  const groups = [...new Set(checks.map(check => check.group))].map(name => {
    const of = checks.filter(check => check.group === name);
    const held = of.filter(check => check.status === "passed").length;
    return make("div", { class: "group" },
      make("h2", {}, make("span", { class: "mono" }, name), make("span", {}, `${held}/${of.length}`)),
      make("div", { class: "cells" }, of.map(check => make("button", {
        type: "button", class: `cell ${check.status}${isSoft(check) ? " soft" : ""}`, tabindex: "-1",
        title: `${check.id}: ${WORDS[check.status][1]}`, "aria-label": `${check.id}: ${WORDS[check.status][1]}`,
        on: { click: () => open(check.id) },
      }))));
  });
  document.getElementById("overview").replaceChildren(
    make("div", { class: "levels" }, levels), make("div", { class: "groups" }, groups));
}

function chip(label, pressed, press) {
  return make("button", { type: "button", class: "chip", "aria-pressed": String(pressed), on: { click: press } }, label);
}

function controls() {
  const search = make("input", {
    type: "search", id: "search", placeholder: "Search: id, clause, what came…", "aria-label": "Search", value: state.search,
    on: { input: event => { state.search = event.target.value; list(); } },
  });
  const statuses = ORDER.filter(status => count(check => check.status === status)).map(status =>
    chip(`${WORDS[status].join(" ")} ${count(check => check.status === status)}`, state.status.has(status), event => {
      state.status.has(status) ? state.status.delete(status) : state.status.add(status);
      event.currentTarget.setAttribute("aria-pressed", String(state.status.has(status)));
      list();
    }));
  const select = (label, key, values) => make("select", {
    "aria-label": label, on: { change: event => { state[key] = event.target.value; list(); } },
  }, make("option", { value: "" }, label), values.map(value => make("option", { value }, value)));
  document.getElementById("controls").replaceChildren(search, ...statuses,
    select("every level", "level", [...new Set(checks.map(check => check.level))]),
    select("every group", "group", [...new Set(checks.map(check => check.group))]));
}

function matches(check) {
  const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [check.id, check.title, check.clause.title, check.row, check.reason,
    ...(check.evidence || []).map(seen => seen.sentence)].join(" ").toLowerCase();
  return words.every(word => text.includes(word))
    && (!state.status.size || state.status.has(check.status))
    && (!state.level || check.level === state.level) && (!state.group || check.group === state.group);
}

function list() {
  const shown = checks.filter(matches);
  // What counts against the subject comes first, and of that what counts most; the order of the suite stays within.
  const weight = check => ORDER.indexOf(check.status) + (isBad(check) && isSoft(check) ? 1.5 : 0);
  shown.sort((one, two) => weight(one) - weight(two));
  document.getElementById("count").textContent = `${shown.length} of ${checks.length} checks`;
  document.getElementById("list").replaceChildren(...shown.map(row));
}

function row(check) {
  const soft = isSoft(check) ? " soft" : "";
  const [sign, word] = WORDS[check.status];
  const details = make("details", { class: "check", id: check.id },
    make("summary", {},
      make("span", { class: `badge ${check.status}${soft}` }, `${sign} ${word}`),
      make("span", {}, check.level.toUpperCase()),
      make("span", { class: "what" }, check.title || check.id, make("small", { class: "mono" }, check.id, check.row ? ` · ${check.row}` : ""))));
  // What is inside is drawn when it is first looked at.
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(inside(check));
  });
  return details;
}

function inside(check) {
  const soft = isSoft(check) ? " soft" : "";
  const said = (check.evidence || []).map(seen =>
    make("p", { class: `came${isBad(check) ? soft : " calm"}` }, seen.request ? `Exchange ${seen.request}: ` : "", seen.sentence));
  const reason = check.reason ? make("p", { class: "came calm" }, check.reason) : null;
  const clause = make("blockquote", {}, check.clause.title, " ",
    check.clause.url ? make("a", { href: check.clause.url, rel: "noreferrer noopener", target: "_blank" }, "read it there") : "");
  const inside = make("div", { class: "inside" }, make("h3", {}, "What the specification says"), clause,
    said.length || reason ? make("h3", {}, "What came") : null, said, reason);
  if ((check.exchanges || []).length) inside.append(make("h3", {}, "The exchanges"), sequence(check, soft));
  if (check.curl) inside.append(make("h3", {}, report.kind === "registry" ? "The same with curl" : "The client was called as"), copied(check.curl));
  return inside;
}

function copied(text) {
  const button = make("button", {
    type: "button", class: "copy", on: {
      click: async event => {
        const button = event.currentTarget;
        try { await navigator.clipboard.writeText(text); button.textContent = "copied"; }
        catch { getSelection().selectAllChildren(button.nextElementSibling); button.textContent = "selected"; }
      },
    },
  }, "copy");
  return make("div", {}, button, make("pre", {}, text));
}

function sequence(check, soft) {
  const shown = new Set((check.evidence || []).map(seen => seen.request));
  const drawing = make("div", { class: "sequence" },
    make("div", { class: "actor" }, report.kind === "registry" ? "suite" : "client"), make("div", {}), make("div", { class: "actor" }, "registry"));
  check.exchanges.forEach((exchange, at) => {
    const lost = exchange.status === undefined || exchange.status === null;
    const type = name => (exchange.response_headers || exchange["response-headers"] || []).filter(([key]) => key === name).map(([, value]) => value)[0];
    const notes = [type("location") && `Location ${type("location")}`, type("range") && `Range ${type("range")}`].filter(Boolean).join(" · ");
    drawing.append(make("div", { class: "life" }),
      make("div", { class: `step${shown.has(at + 1) ? " shown" + soft : ""}` },
        make("div", { class: "arrow out mono" }, `${at + 1}. ${exchange.method} ${path(exchange.target)}`,
          exchange["request-bytes"] ? ` · ${size(exchange["request-bytes"])}` : ""),
        make("div", { class: `arrow in mono${lost ? " lost" : ""}` },
          make("span", { class: "status" }, lost ? exchange.lost || "no answer" : String(exchange.status)), notes ? ` ${notes}` : "",
          exchange["response-bytes"] ? ` · ${size(exchange["response-bytes"])}` : ""),
        make("details", { class: "more" }, make("summary", {}, "headers and bodies"), make("pre", {}, whole(exchange)))),
      make("div", { class: "life" }));
  });
  return drawing;
}

const path = target => target.startsWith(report.subject) ? target.slice(report.subject.length) : target;
const size = bytes => bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;

function whole(exchange) {
  const headers = list => (list || []).map(([name, value]) => `${name}: ${value}`);
  const body = (text, bytes) => !bytes ? [] : ["", text ? text + (text.length < bytes ? "…" : "") : `(${size(bytes)})`];
  return [`${exchange.method} ${exchange.target}`, ...headers(exchange["request-headers"]), ...body(exchange["request-body"], exchange["request-bytes"]),
    "", exchange.status ? `${exchange.status}` : exchange.lost || "no answer", ...headers(exchange["response-headers"]),
    ...body(exchange["response-body"], exchange["response-bytes"])].join("\n");
}

function open(id) {
  if (!checks.some(check => check.id === id)) return;
  if (!document.getElementById(id)) {
    Object.assign(state, { search: "", level: "", group: "" });
    state.status.clear();
    controls();
    list();
  }
  const details = document.getElementById(id);
  details.open = true;
  details.querySelector("summary").focus();
  details.scrollIntoView({ block: "start" });
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
}

const keys = document.getElementById("keys");
function help() {
  const all = [["/", "search"], ["j or ↓", "next check"], ["k or ↑", "the check before"], ["Enter", "open or close it"],
    ["f", "only what failed"], ["d", "light or dark"], ["Esc", "away with search and filters"]];
  keys.replaceChildren(make("h2", {}, "Keys"),
    make("dl", {}, all.flatMap(([key, what]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, what)])),
    make("form", { method: "dialog" }, make("button", {}, "close")));
}

function step(by) {
  const all = [...document.querySelectorAll(".check > summary")];
  const at = all.indexOf(document.activeElement);
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select");
  if (event.key === "Escape") {
    Object.assign(state, { search: "", level: "", group: "" });
    state.status.clear();
    controls();
    list();
    document.activeElement.blur();
  } else if (typing) return;
  else if (event.key === "/") { event.preventDefault(); document.getElementById("search").focus(); }
  else if (event.key === "?") keys.showModal();
  else if (event.key === "j" || event.key === "ArrowDown") { event.preventDefault(); step(1); }
  else if (event.key === "k" || event.key === "ArrowUp") { event.preventDefault(); step(-1); }
  else if (event.key === "d") theme();
  else if (event.key === "f") { state.status = new Set(["failed", "error"]); controls(); list(); }
});
addEventListener("hashchange", () => open(decodeURIComponent(location.hash.slice(1))));

head();
overview();
controls();
list();
help();
document.getElementById("foot").textContent =
  `Written by ${report.tool}. Nothing here was loaded from anywhere; links lead to the specification. Secrets were cut.`;
if (location.hash.length > 1) open(decodeURIComponent(location.hash.slice(1)));
