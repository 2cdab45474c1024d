// People and their sessions.

import { banner, call, el, path, route, show, svg } from "./dom.js";
import { GRADES, day } from "./words.js";

const fail = (error) => banner(`⚠ ${error.message}`, "warning");

export async function home(about) {
  const found = await call("/api/people");
  const name = el("input", {
    test: "person-name", name: "code", maxlength: 64, autocomplete: "off",
    placeholder: "Code, such as P01", "aria-label": "Code of a new person",
  });
  const form = el("form", { class: "new", onsubmit: async (event) => {
    event.preventDefault();
    if (!name.value.trim()) return name.focus();
    try {
      const made = await call("/api/people", { name: name.value });
      location.hash = route("person", made.name);
    } catch (error) {
      fail(error);
    }
  } }, name, el("button", { test: "new-person", class: "main" }, "New person"));
  const list = el("ul", { class: "cards" });
  const fillList = (search) => list.replaceChildren(...found.people
    .filter((one) => one.name.toLowerCase().includes(search.toLowerCase()))
    .map(personCard));
  const search = el("input", { type: "search", placeholder: "Search", "aria-label": "Search people",
    oninput: () => fillList(search.value) });
  fillList("");
  show(
    el("h1", {}, "People"),
    about.simulate ? el("p", { class: "hint" }, "A simulated person: no sensors are needed.") : null,
    form,
    found.people.length > 5 ? search : null,
    found.people.length ? list : el("p", { class: "hint" }, "Nobody yet. Give a code and begin."),
    brokenList(found.broken),
    el("p", { class: "hint" }, `Kept in ${about.folder}. `, el("a", { href: "/help", target: "_blank" }, "Help")),
  );
}

function personCard(one) {
  const last = one.last;
  return el("li", {}, el("a", { href: route("person", one.name) },
    el("strong", {}, one.name),
    el("span", {}, last ? day(last.started) : "no session yet"),
    el("span", { class: "verdict" }, (last && last.headline) || ""),
    spark(one.trend)));
}

// A small trend of the sides' difference; the words beside it say the last verdict.
function spark(values) {
  const known = values.filter((one) => one !== null);
  if (known.length < 2) return null;
  const most = Math.max(5, ...known.map(Math.abs));
  const points = known.map((one, at) => `${(at * 60) / (known.length - 1)},${12 - (10 * one) / most}`);
  return svg("svg", { class: "spark", viewBox: "-2 0 64 24", role: "img", "aria-label": "Difference of the sides, session by session" },
    svg("line", { x1: 0, y1: 12, x2: 60, y2: 12 }), svg("polyline", { points: points.join(" ") }));
}

function brokenList(broken) {
  if (!broken.length) return null;
  return el("section", {}, el("h2", {}, "Cannot be read"),
    el("ul", { class: "broken" }, ...broken.map((one) => el("li", {}, `✕ ${one.path}: ${one.why}`))));
}

export async function person(name) {
  const found = await call(path("api", "people", name));
  const begin = async () => {
    try {
      const made = await call(path("api", "people", name, "sessions"), {});
      location.hash = route("session", name, made.session);
    } catch (error) {
      fail(error);
    }
  };
  show(
    el("p", { class: "back" }, el("a", { href: "#/" }, "← People")),
    el("h1", {}, name),
    el("p", {}, el("button", { type: "button", class: "main", test: "new-session", onclick: begin }, "New session"),
      found.trend ? el("a", { class: "button", test: "trend-link", target: "_blank", href: path("trend", name, "trend.html") }, "Trend") : null),
    el("ul", { class: "cards" }, ...found.sessions.map((one) => el("li", {},
      el("a", { href: route("session", name, one.name) },
        el("strong", {}, day(one.started || one.name)),
        el("span", {}, one.sides.join(" and ") || "nothing recorded yet"),
        one.grade ? el("span", {}, GRADES[one.grade] || one.grade) : null,
        el("span", { class: "verdict" }, one.broken ? `✕ ${one.broken}` : one.headline || ""))))),
  );
}
