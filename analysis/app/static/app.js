// Where the person is, and what comes over the socket.

import { banner, call, el, show } from "./dom.js";
import { Coach } from "./coach.js";
import { home, person } from "./home.js";
import { SessionPage, outcome } from "./session.js";
import { Socket } from "./socket.js";

const COACHED = ["connecting", "setup", "settling", "recording", "analysing"];

const app = { about: {}, page: null, coach: null, table: null, state: null };

let socket = null;
const send = (message) => Boolean(socket) && socket.send(message);

function here() {
  return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
}

async function go() {
  banner("");
  closeCoach();
  app.page = null;
  const [place, name, session] = here();
  try {
    if (place === "session") {
      app.page = new SessionPage(name, session, app.about, send);
      await app.page.open();
    } else if (place === "person") await person(name);
    else if (app.about.mode === "coach") show(el("p", { class: "headline" }, "One moment."));
    else await home(app.about);
  } catch (error) {
    banner(`⚠ ${error.message}`, "warning");
  }
  document.getElementById("view").focus();
  closeCoach(); // it may have come while the page was fetched
  if (app.state) take(app.state);
}

function closeCoach() {
  if (app.coach) app.coach.close();
  app.coach = null;
}

const isHere = (state) => {
  if (app.about.mode === "coach") return true;
  const [place, name, session] = here();
  return place === "session" && name === state.person && session === state.session;
};

// A set that runs is shown wherever it belongs; a page opened anew is led to it.
function take(state) {
  const before = app.state;
  app.state = state;
  if (COACHED.includes(state.state)) {
    if (!isHere(state)) {
      if (app.coach === null && before !== state) location.hash = `#/session/${encodeURIComponent(state.person)}/${encodeURIComponent(state.session)}`;
      return;
    }
    const another = app.coach && (app.coach.state.side !== state.side || (state.state === "connecting" && app.coach.state.state !== "connecting"));
    if (another) closeCoach();
    if (app.coach === null) {
      app.coach = new Coach(state, send);
      show(app.coach.node);
    }
    app.coach.follow(state);
    return;
  }
  if (app.coach === null) {
    if (state.error && before !== state && isHere(state)) banner(`⚠ ${state.error}`, "warning");
    return;
  }
  closeCoach();
  if (app.about.mode === "coach") return show(outcome(state, app.table));
  if (!app.page) return;
  if (state.state === "done") app.page.summary(state, app.table);
  else {
    app.page.open();
    banner(state.error ? `⚠ ${state.error}` : state.text, state.error ? "warning" : "note");
  }
}

const TAKES = {
  state: take,
  table: (message) => { app.table = message; },
  motion: (message) => app.coach?.motion(message),
  setup: (message) => app.coach?.setup(message),
  sensors: (message) => (app.coach ? app.coach.told(message) : app.page?.told(message)),
  note: (message) => banner(message.text),
  error: (message) => banner(`⚠ ${message.text}`, "warning"),
};

function linked(is) {
  if (!is && app.about.mode === "coach" && app.state?.state === "done") return;
  if (is) {
    banner("");
    if (app.page && !app.coach) send({ type: "scan" });
  } else banner("⚠ The connection to the app is lost. The recording goes on.", "warning");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === " " && /^(BUTTON|A|SUMMARY)$/.test(event.target.tagName) && !app.coach) return;
  const used = app.coach ? app.coach.key(event) : app.page?.key(event);
  if (used) event.preventDefault();
});
window.addEventListener("hashchange", go);

app.about = await call("/api/state");
socket = new Socket((message) => TAKES[message.type]?.(message), linked);
await go();
