"use strict";
/* The page of those who run a project. Everything is put in as text, never as markup. */
const $ = (id) => document.getElementById(id);
let csrf = "";

async function call(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-csrf": csrf },
  };
  const answer = await fetch(path, { cache: "no-store", credentials: "same-origin", ...options });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail || `The server answered ${answer.status}.`);
  return told;
}

function cell(value, kind = "td", name = "") {
  const made = document.createElement(kind);
  if (value instanceof Node) made.append(value); else made.textContent = value;
  if (name) made.className = name;
  return made;
}
function rows(id, list, make, empty) {
  const body = $(id);
  const lines = list.map((each) => {
    const line = document.createElement("tr");
    line.append(...make(each));
    return line;
  });
  if (!lines.length) {
    const line = document.createElement("tr");
    const only = cell(empty, "td", "text hint");
    only.colSpan = 8;
    line.append(only);
    lines.push(line);
  }
  body.replaceChildren(...lines);
}
const fixed = (value, digits = 2) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(value * 100)} %`);
const of = (pair) => (pair && pair[1] ? `${pair[0]} / ${pair[1]}` : "–");

function card(value, text) {
  const made = document.createElement("div");
  made.className = "card";
  made.append(cell(value, "b"), cell(text, "span"));
  return made;
}

function bar(rank, reach) {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "-100 -10 200 20");
  svg.setAttribute("preserveAspectRatio", "none");
  const draw = (name, attributes, kind) => {
    const made = document.createElementNS(NS, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.setAttribute("class", kind);
    svg.append(made);
  };
  const at = (value) => (95 * value) / reach;
  draw("line", { x1: 0, x2: 0, y1: -10, y2: 10 }, "axis");
  if (rank.low !== null && rank.high !== null) draw("line", { x1: at(rank.low), x2: at(rank.high), y1: 0, y2: 0 }, "span");
  draw("ellipse", { cx: at(rank.strength), cy: 0, rx: 2.5, ry: 6 }, "dot");
  return svg;
}

function person(each) {
  const button = document.createElement("button");
  button.className = "plain";
  button.textContent = each.revoked ? "Revoked" : "Revoke";
  button.disabled = each.revoked;
  button.addEventListener("click", async () => {
    if (!confirm(`Let ${each.name} in no more? What they said stays.`)) return;
    await act(() => call("/api/admin/revoke", { rater: each.rater_id }));
    load();
  });
  const doubts = (each.suspicious || []).join("; ");
  return [cell(each.name), cell(each.verdicts || 0), cell(fixed(each.seconds, 1)), cell(percent(each.left)),
    cell(of(each.checks)), cell(of(each.repeats)),
    cell(doubts || (each.verdicts ? "nothing odd" : ""), "td", doubts ? "text warn" : "text ok"), cell(button)];
}

function show(told) {
  csrf = told.csrf;
  document.title = $("title").textContent = told.project;
  $("question").textContent = told.question;
  const kinds = Object.keys({ human: 0, ...told.kinds });
  $("kind").replaceChildren(...kinds.map((name) => new Option(
    `${{ human: "people", oracle: "oracles (simulated)", discriminator: "discriminators" }[name] || name} (${told.kinds[name] || 0})`,
    name, false, name === told.kind)));
  const all = told.agreement.find((each) => each.region === "all");
  $("cards").replaceChildren(
    card(told.verdicts, "verdicts"), card(`${told.judged} / ${told.pairs}`, "pairs judged"),
    card(told.raters.filter((each) => each.verdicts).length, "raters at work"),
    card(fixed(all && all.alpha), "Krippendorff's alpha"),
    card(told.raters.filter((each) => (each.suspicious || []).length).length, "raters to look at"));
  const reach = Math.max(0.5, ...told.ranking.ranks.flatMap((each) => [each.strength, each.low ?? 0, each.high ?? 0].map(Math.abs)));
  rows("ranking", told.ranking.ranks, (each) => [cell(each.source), cell(fixed(each.strength)),
    cell(`${fixed(each.low)} to ${fixed(each.high)}`), cell(each.comparisons), cell(bar(each, reach), "td", "rank")],
  "Nothing to rank yet.");
  $("note").textContent = [told.ranking.note, told.unkept ? `The disk is full: ${told.unkept} pictures could not be kept.` : ""].filter(Boolean).join(" · ");
  rows("raters", told.raters, person, "Nobody yet.");
  rows("alpha", told.agreement, (each) => [cell(each.region), cell(each.pairs), cell(fixed(each.alpha))], "");
  rows("kappa", told.kappas, (each) => [cell(`${each.one}, ${each.other}`), cell(each.pairs), cell(fixed(each.kappa))],
    "No two raters with ten pairs in common.");
}

async function act(what) {
  try { $("fault").textContent = ""; return await what(); } catch (fault) { $("fault").textContent = fault.message; return null; }
}
async function load() {
  const told = await act(() => call(`/api/admin/summary?kind=${encodeURIComponent($("kind").value || "human")}`));
  if (told) show(told); else $("title").textContent = "Arena";
}
$("kind").addEventListener("change", load);
$("again").addEventListener("click", load);
$("invite").addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = await act(() => call("/api/admin/raters", { name: $("name").value.trim() }));
  if (!told) return;
  $("link").textContent = `${told.name}: ${location.origin}${told.link}`;
  $("name").value = "";
  load();
});
load();
