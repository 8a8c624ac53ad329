"use strict";
/* One page for a rater. What was clicked is kept in this browser until the server has it, so a
   lost network or a restarted server costs nothing. */
const $ = (id) => document.getElementById(id);
const WAITING = "sf.waiting";
const KEYS = {
  1: "left", ArrowLeft: "left", 2: "right", ArrowRight: "right", 3: "tie", ArrowDown: "tie",
  t: "tie", 4: "bad", b: "bad", s: "skip",
};
const SETTLE = 250; // ms in which a second click of a double click does nothing
let state = null, shown = null, since = 0, sending = false, loud = false, ready = false, retry = 0;

// -- what is not yet on the server ------------------------------------------
const waiting = () => JSON.parse(localStorage.getItem(WAITING) || "[]");
const keep = (list) => localStorage.setItem(WAITING, JSON.stringify(list));

async function call(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-csrf": state ? state.csrf : "" },
  };
  const answer = await fetch(path, { cache: "no-store", credentials: "same-origin", ...options });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.detail || "Fault"), { status: answer.status });
  return told;
}

async function send() {
  if (sending) return false;
  sending = true;
  try {
    while (waiting().length) {
      const first = waiting()[0];
      try {
        state = await call("/api/verdicts", first);
      } catch (fault) {
        if (!lasting(fault)) throw fault;
        say("One answer was not taken: " + fault.message, true);
      }
      keep(waiting().filter((each) => each.key !== first.key));
    }
    retry = 0;
    online();
    return true;
  } catch (fault) {
    offline(fault);
    return false;
  } finally {
    sending = false;
  }
}
// A verdict that the server will never take must not block the others; all else is tried again.
const lasting = (fault) => [400, 404, 409, 413, 422].includes(fault.status);

function offline(fault) {
  if (fault.status === 401 || fault.status === 403) { stop(fault.message); return; }
  const count = waiting().length;
  say(count ? `No connection. ${count} answer${count > 1 ? "s" : ""} kept here, trying again.`
    : "No connection, trying again.", true);
  retry = Math.min(retry + 1, 6);
  clearTimeout(offline.timer);
  offline.timer = setTimeout(refresh, 400 * 2 ** retry);
}
function online() {
  if ($("live").classList.contains("warn") && !$("live").textContent.startsWith("One answer")) say("");
}

// -- showing ------------------------------------------------------------------
async function refresh() {
  if (!state) {
    try { state = await call("/api/state"); } catch (fault) { offline(fault); return; }
  }
  if (waiting().length) { await send(); } else {
    try { state = await call("/api/state"); retry = 0; online(); } catch (fault) { offline(fault); }
  }
  show();
}

function next() {
  const done = new Set(waiting().map((each) => each.question));
  return (state ? state.questions : []).filter((each) => !done.has(each.id));
}

function show() {
  if (!state) return;
  tell();
  const open = next();
  if (!open.length) { finish(); return; }
  open.slice(1).forEach(preload);
  if (shown && shown.id === open[0].id) return;
  shown = open[0];
  ready = false;
  document.querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen"));
  $("message").textContent = "";
  $("stage").hidden = $("choices").hidden = false;
  $("region").textContent = shown.title;
  $("question").textContent = shown.question;
  $("told").textContent = shown.told;
  $("told").hidden = !shown.told;
  $("input-box").hidden = !shown.picture;
  $("stage").className = "stage" + (shown.picture ? "" : " bare") + (state.sides > 1 ? " wide" : "");
  if (shown.picture) $("picture").src = shown.picture;
  const id = shown.id;
  Promise.all(["left", "right"].map((side) => put(side, shown[side]))).then(() => {
    if (shown && shown.id === id) { ready = true; since = performance.now(); enable(true); }
  }, (fault) => { say(fault.message, true); ready = true; since = performance.now(); enable(true); });
  enable(false);
}

const made = new Map();
function preload(question) {
  ["left", "right"].forEach((side) => element(question[side]));
  if (question.picture) new Image().src = question.picture;
}
function element(url) {
  if (!made.has(url)) {
    made.set(url, fetchMedia(url).catch((fault) => { made.delete(url); throw fault; }));
    made.get(url).catch(() => {});
    while (made.size > 16) made.delete(made.keys().next().value);
  }
  return made.get(url);
}
async function fetchMedia(url) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error((told.detail || "A face could not be shown.") + " You may skip this one.");
  }
  if ((answer.headers.get("content-type") || "").startsWith("video")) return "video";
  return "img";
}
async function put(side, url) {
  const kind = await element(url);
  const face = document.createElement(kind);
  if (kind === "video") Object.assign(face, { loop: true, muted: !(loud && side === "left"), autoplay: true, playsInline: true });
  else face.alt = side === "left" ? "First face" : "Second face";
  face.src = url;
  if (kind === "img") await face.decode();
  if (shown && shown[side] === url) $(side).replaceChildren(face);
  $("sound-key").hidden = kind !== "video";
}

function tell() {
  const waits = waiting().length;
  const done = state.answered + waits, left = Math.max(0, state.left - waits);
  $("bar").max = Math.max(1, done + left);
  $("bar").value = done;
  $("count").textContent = `${done} of ${done + left}`;
  $("pace").textContent = state.pace ? `· ${state.pace.toFixed(1)} s each, ${minutes(left * state.pace)} left` : "";
}
const minutes = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);

function finish() {
  shown = null;
  $("stage").hidden = true;
  $("choices").hidden = false;
  enable(false);
  $("undo").disabled = !state.answered;
  const waits = waiting().length;
  $("question").textContent = state.question;
  $("region").textContent = "";
  $("message").textContent = waits ? "Sending your last answers." : "That was all. Thank you.";
}
function stop(text) {
  state = shown = null;
  $("stage").hidden = $("choices").hidden = true;
  $("question").textContent = "Comparing faces";
  document.querySelector(".ask p").hidden = true;
  $("message").textContent = text;
}
function say(text, warn = false) {
  $("live").textContent = text;
  $("live").classList.toggle("warn", warn);
}
function enable(on) {
  document.querySelectorAll("[data-click]").forEach((each) => { if (each.tagName === "BUTTON") each.disabled = !on; });
  if (!on) document.querySelectorAll("[data-click=skip]").forEach((each) => { each.disabled = !shown; });
  $("undo").disabled = !(state && (state.answered || waiting().length));
}

// -- answering ----------------------------------------------------------------
function choose(click) {
  if (!shown || (!ready && click !== "skip")) return;
  if (ready && performance.now() - since < SETTLE) return;
  const seconds = ready ? Math.min(86400, (performance.now() - since) / 1000) : null;
  const noise = crypto.getRandomValues(new Uint32Array(3));
  const key = Array.from(noise, (n) => n.toString(16).padStart(8, "0")).join("");
  keep([...waiting(), { question: shown.id, click, key, seconds }]);
  const names = { left: "First", right: "Second", tie: "Same", bad: "Both bad", skip: "Skipped" };
  say(`${names[click]} for number ${shown.number}.`);
  show();
  send().then(show);
}
async function undo() {
  if (undo.busy) return;
  undo.busy = true;
  try {
    if (waiting().length && !(await send())) { say("No connection: undo has to wait.", true); return; }
    const told = await call("/api/undo", {});
    state = told;
    say(told.opened ? "Undone. Judge this one again." : "Nothing to undo.");
    shown = null;
    show();
  } catch (fault) { say(fault.message || "No connection: undo has to wait.", true); } finally { undo.busy = false; }
}

// `detail` counts clicks of a double click: the second of them was not meant for the next pair.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.id === "undo") undo();
  else if (button.dataset.click && event.detail < 2) choose(button.dataset.click);
});
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (KEYS[key]) { event.preventDefault(); choose(KEYS[key]); }
  else if (key === "u" || key === "Backspace") { event.preventDefault(); undo(); }
  else if (key === "m") {
    loud = !loud;
    const film = $("left").querySelector("video");
    if (film) film.muted = !loud;
  }
});
addEventListener("online", refresh);
addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && shown && ready) since = performance.now(); });
refresh();
