// One session: its steps, and what its sets came to.

import { banner, call, el, path, route, show } from "./dom.js";
import { GRADES, MODES, WRONG, day, degrees, verdict } from "./words.js";

const OTHER = { left: "right", right: "left" };

// What a set came to, where the coach alone is shown.
export function outcome(state, table) {
  const rows = (table && table.reps) || [];
  return el("section", { test: "summary", class: "summary" },
    el("h1", {}, `${state.side} leg: done`), el("p", { class: "headline" }, state.text),
    el("table", {}, el("tbody", {}, ...rows.map((rep) => el("tr", {}, el("td", {}, `${rep.rep}`),
      el("td", {}, degrees(rep.rom_deg)), el("td", {}, verdict({ counts: rep.verdict !== "not_counted", ...rep })))))));
}

export class SessionPage {
  constructor(person, session, about, send) {
    Object.assign(this, { person, session, about, send });
    this.choices = { mode: null, pace: null, planned_reps: 8, target: "" };
    this.chosen = {};
    this.sensors = [];
  }

  async open() {
    this.found = await call(path("api", "people", this.person, "sessions", this.session));
    this.draw();
    this.send({ type: "scan" });
  }

  nextSide() {
    const done = new Set(this.found.sets.map((one) => one.side));
    return ["left", "right"].find((side) => !done.has(side)) || "left";
  }

  start(side) {
    const mode = this.choices.mode || this.found.next_mode[side] || "measure";
    const target = Number(this.choices.target) || this.found.targets[side] || null;
    const said = { type: "start", person: this.person, session: this.session, side, mode,
      planned_reps: this.choices.planned_reps, lift: Boolean(this.choices.lift),
      target_deg: mode === "measure" ? null : target, pace: this.choices.pace };
    if (!this.send(said)) banner("⚠ The app does not answer.", "warning");
  }

  draw() {
    const { found } = this;
    const side = this.nextSide();
    const done = (one) => found.sets.some((set) => set.side === one);
    this.list = el("ul", { class: "sensors" });
    this.drawSensors();
    const step = (name, is, ...content) =>
      el("li", { class: is ? "done" : "" }, el("h2", {}, `${is ? "✓" : "○"} ${name}`), ...content);
    const both = done("left") && done("right");
    const begin = (one, main) => el("button", { type: "button", class: main ? "main" : "",
      test: main ? "start" : null, onclick: () => this.start(one) },
    main ? `Start: ${one} leg` : done(one) ? "Again" : "Start");
    show(
      el("p", { class: "back" }, el("a", { href: route("person", this.person) }, `← ${this.person}`)),
      el("h1", {}, day(found.started || this.session)),
      found.broken ? el("p", { class: "wrong" }, `✕ ${found.broken}`) : null,
      found.headline ? el("p", { class: "headline" }, found.headline) : null,
      el("p", { class: "next" }, begin(side, true), this.modeChoice(side)),
      el("ol", { class: "steps" },
        step("Sensors", Object.keys(found.remembered).length > 0, this.list),
        step("Lean", found.lean, el("p", {}, "Tells which way the pelvis sensor points. Can be left out."),
          found.lean ? null : el("button", { type: "button", onclick: () => this.start("lean") }, "Record the lean")),
        ...["left", "right"].map((one) => step(one === "left" ? "Left" : "Right", done(one),
          ...found.sets.filter((set) => set.side === one).map((set) => this.setLine(set)), begin(one, false))),
        step("Report", both, found.sets.length ? this.links() : el("p", {}, "After the first set."))),
      this.options(),
    );
  }

  drawSensors() {
    if (!this.list) return;
    const rows = this.sensors.map((one) => {
      const worn = Object.entries(this.chosen).find(([, address]) => address === one.address);
      const place = worn ? worn[0] : one.segment;
      const role = (segment) => el("button", { type: "button", test: `role-${segment}`,
        "aria-pressed": String(place === segment), onclick: () => this.wear(segment, one.address) }, segment);
      const signal = one.rssi_dbm === undefined ? one.state : `${one.rssi_dbm} dBm`;
      const battery = one.battery_percent === null ? "" : `, ${Math.round(one.battery_percent)} %`;
      return el("li", { test: "sensor-row" }, el("span", {}, `${one.name} ${one.address.slice(-5)}, ${signal}${battery}`),
        role("pelvis"), role("thigh"));
    });
    this.list.replaceChildren(...(rows.length ? rows : [el("li", {}, "Looking for sensors. Switch them on.")]));
  }

  wear(segment, address) {
    for (const key of Object.keys(this.chosen)) if (this.chosen[key] === address) delete this.chosen[key];
    this.chosen[segment] = address;
    this.send({ type: "roles", person: this.person, session: this.session, ...this.chosen });
    this.drawSensors();
  }

  told(message) {
    const key = JSON.stringify(message.sensors.map((one) => [one.address, one.state, one.segment]));
    this.sensors = message.sensors;
    if (key !== this.drawn) this.drawSensors();
    this.drawn = key;
  }

  modeChoice(side) {
    const usual = this.found.next_mode[side];
    return el("select", { "aria-label": "How it is coached", onchange: (event) => {
      this.choices.mode = event.target.value;
    } }, ...Object.entries(MODES).map(([code, [name]]) =>
      el("option", { value: code, selected: code === (this.choices.mode || usual) }, name)));
  }

  options() {
    const { choices } = this;
    const pace = { in_s: 2, hold_s: 1, back_s: 2 };
    return el("details", {}, el("summary", {}, "More"),
      el("label", {}, "Repetitions ", el("input", { type: "number", min: 1, max: 100, value: choices.planned_reps,
        onchange: (event) => { choices.planned_reps = Number(event.target.value) || 8; } })),
      el("label", {}, "Target, degrees ", el("input", { type: "number", min: 1, max: 90, value: choices.target,
        onchange: (event) => { choices.target = event.target.value; } })),
      el("label", {}, el("input", { type: "checkbox", onchange: (event) => { choices.pace = event.target.checked ? pace : null; } }),
        " Pacer: in 2 s, hold 1 s, back 2 s"),
      el("label", {}, el("input", { type: "checkbox", onchange: (event) => { choices.lift = event.target.checked; } }),
        " Ask for the lift first: it proves the side"),
      this.about.simulate ? el("label", {}, "The simulated person ", el("select", {
        onchange: (event) => this.send({ type: "compensate", how: event.target.value }) },
      ...Object.entries(WRONG).map(([code, words]) => el("option", { value: code }, words)))) : null);
  }

  setLine(set) {
    const counted = set.reps.filter((one) => one.counts && one.rom_deg !== null);
    const mean = counted.length ? counted.reduce((sum, one) => sum + one.rom_deg, 0) / counted.length : null;
    return el("details", { class: "set" },
      el("summary", {}, `${set.name}: ${degrees(mean)}, ${counted.length} ${counted.length === 1 ? "repetition" : "repetitions"}, ${GRADES[set.grade] || set.grade}`),
      this.setDetails(set));
  }

  setDetails(set) {
    return el("div", {},
      set.correction ? el("p", {}, `Corrected: ${set.correction}`) : null,
      ...set.reasons.map((one) => el("p", { class: "hint" }, one)),
      this.repTable(set),
      el("p", {}, el("button", { type: "button", test: "was-other-side", onclick: () =>
        this.ask(`Why was this the ${OTHER[set.side]} side?`, { set: set.name, side: OTHER[set.side] }) }, "This was the other side"),
      el("button", { type: "button", onclick: () =>
        this.ask("Why were the sensors exchanged?", { set: set.name, swap_sensors: true }) }, "Sensors were exchanged"),
      set.correction ? el("button", { type: "button", onclick: () => this.put({ set: set.name, undo: true }) }, "Undo") : null));
  }

  repTable(set) {
    return el("table", {}, el("thead", {}, el("tr", {}, ...["Turn", "Range", "Verdict", "Change"].map((one) => el("th", {}, one)))),
      el("tbody", {}, ...set.reps.map((rep) => el("tr", {}, el("td", {}, `${rep.rep}`), el("td", {}, degrees(rep.rom_deg)),
        el("td", {}, verdict(rep), rep.words.length ? `: ${rep.words.join(", ")}` : ""),
        el("td", {}, rep.excluded ? null : el("button", { type: "button", test: "exclude-rep", onclick: () =>
          this.ask(`Why shall repetition ${rep.rep} not count?`, { set: set.name, exclude: rep.rep }) }, "Exclude"))))));
  }

  ask(question, body) {
    const why = el("input", { required: true, maxlength: 200, "aria-label": question });
    const dialog = el("dialog", {}, el("form", { onsubmit: async (event) => {
      event.preventDefault();
      dialog.close();
      await this.put({ ...body, why: why.value });
    } }, el("p", {}, question), why, el("p", {}, el("button", { class: "main" }, "Keep"),
      el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    why.focus();
  }

  async put(body) {
    try {
      this.found = await call(path("api", "people", this.person, "sessions", this.session, "correct"), body);
      this.draw();
      banner("Kept.");
    } catch (error) {
      banner(`⚠ ${error.message}`, "warning");
    }
  }

  links() {
    const copy = async () => {
      await navigator.clipboard.writeText(this.found.notes.join("\n"));
      banner("Copied for the notes.");
    };
    return el("p", {}, el("a", { class: "button main", test: "report-link", target: "_blank",
      href: path("report", this.person, this.session, "report.html") }, "Open the report"),
    el("button", { type: "button", onclick: () => copy().catch(() => banner("⚠ It could not be copied.", "warning")) },
      "Copy for the notes"),
    el("pre", { class: "notes" }, this.found.notes.join("\n")));
  }

  // What the set that has just ended came to; its two ways on.
  async summary(state, table) {
    await this.open();
    const set = this.found.sets.find((one) => one.name === state.set);
    const side = state.side;
    const lean = side === "lean";
    const next = lean ? this.nextSide() : OTHER[side];
    const page = el("section", { test: "summary", class: "summary" },
      el("h1", {}, lean ? "Lean" : `${side} leg: done`),
      state.error ? el("p", { class: "wrong" }, `✕ ${state.error}`) : null,
      el("p", { class: "headline" }, (table && table.fit) || state.text),
      el("p", { class: "next" },
        el("button", { type: "button", class: "main", test: "other-side", onclick: () => this.start(next) },
          lean ? `Start: ${next} leg` : `Other side: ${next}`),
        lean ? null : el("button", { type: "button", onclick: () => this.start(side) }, "Again"),
        el("button", { type: "button", onclick: () => this.draw() }, "Session")),
      set ? this.links() : null,
      set ? this.setDetails(set) : null);
    show(page);
  }

  key(event) {
    if (event.key === " ") this.start(this.nextSide());
    else if (event.key === "Escape") location.hash = route("person", this.person);
    else return false;
    return true;
  }
}
