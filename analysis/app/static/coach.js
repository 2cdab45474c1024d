// One set, coached: readable from two metres.

import { banner, el, svg } from "./dom.js";
import { Gauge, Level } from "./gauge.js";
import { isMuted, low, tick, toggleMute } from "./sound.js";
import { CUES, MODES, PHASES, degrees } from "./words.js";

const SILENT_S = 1.5;
const TRAIL_S = 8;
const PAUSE_S = 1.2;
const OFTEN_S = 4;

export class Coach {
  constructor(state, send) {
    this.send = send;
    this.state = state;
    this.verdicts = new Map();
    this.heardAt = 0;
    this.turns = [[]];
    this.beganAt = null;
    this.ticked = false;
    this.lowAt = 0;
    this.build();
    this.follow(state);
    this.timer = setInterval(() => this.watch(), 300);
    this.wake();
  }

  build() {
    const { state } = this;
    this.gauge = new Gauge(state.side, state.target_deg);
    this.level = new Level(state.side);
    this.angle = el("p", { class: "angle", test: "angle" }, "–");
    this.count = el("p", { class: "count", test: "count", "aria-live": "polite" }, "0");
    this.phase = el("p", { class: "phase", test: "phase" }, "");
    this.cue = el("p", { class: "cue", test: "cue", "aria-live": "polite" }, "");
    this.text = el("p", { class: "todo" }, state.text);
    this.checks = el("ul", { class: "checks" });
    this.pelvis = el("p", { class: "pelvis" }, "Pelvis level");
    this.dots = svg("svg", { class: "dots", role: "img", "aria-label": "Repetitions" });
    this.curves = svg("svg", {
      class: "curves", viewBox: "0 -62 200 76", preserveAspectRatio: "none", "aria-hidden": "true",
    });
    this.pace = el("p", { class: "pace" });
    this.sensors = el("p", { class: "sensors" }, "");
    const [mode, why] = MODES[state.mode] || MODES.measure;
    this.skip = this.button("Skip the check", "skip-setup", () => this.send({ type: "skip_setup" }));
    this.mute = this.button("", "mute", () => this.tellMute(toggleMute()), "m");
    this.tellMute(isMuted());
    this.pains = el("div", { class: "scores", hidden: true },
      ...Array.from({ length: 11 }, (_, score) =>
        this.button(`${score}`, null, () => this.pain(score))));
    this.node = el("section", { class: `coach ${state.mode}`, "aria-label": "Coach" },
      el("header", {}, el("h1", {}, state.side === "lean" ? "Lean" : `${state.side} leg`),
        el("p", { class: "mode", title: why }, state.side === "lean" ? "" : mode), this.sensors),
      this.text, this.checks,
      el("div", { class: "stage" },
        el("div", { class: "figure" }, this.gauge.node, this.curves),
        el("div", { class: "figures" }, this.angle, this.count, this.dots, this.phase, this.pace),
        el("div", { class: "side" }, this.level.node, this.pelvis)),
      this.cue,
      el("footer", {}, this.skip,
        this.button("Stop", "stop", () => this.send({ type: "stop" }), "Space"),
        this.button("Pain", "pain", () => this.askPain(), "p"),
        this.button("Cramp", null, () => this.mark("cramp"), "c"),
        this.button("Pinch", null, () => this.mark("pinch"), "i"),
        this.button("Other side", null, () => this.send({ type: "next_side" }), "s"),
        this.mute),
      this.pains);
    this.node.classList.toggle("lean", state.side === "lean");
    this.drawDots(0);
  }

  button(text, test, onclick, key) {
    return el("button", { type: "button", test, onclick, title: key ? `Key ${key}` : null }, text);
  }

  tellMute(muted) {
    this.mute.textContent = muted ? "Sound: off" : "Sound: on";
    this.mute.setAttribute("aria-pressed", String(!muted));
  }

  askPain() {
    this.pains.hidden = !this.pains.hidden;
    if (!this.pains.hidden) this.pains.firstChild.focus();
  }

  pain(score) {
    this.pains.hidden = true;
    this.mark("pain", score);
  }

  mark(kind, score = null) {
    this.send({ type: "mark", kind, score, text: "" });
  }

  async wake() {
    try {
      this.lock = await navigator.wakeLock?.request("screen");
    } catch {
      // the page is hidden, or the browser has none
    }
  }

  // --- messages

  follow(state) {
    this.state = state;
    this.node.dataset.state = state.state;
    this.text.textContent = state.text;
    this.skip.hidden = state.state !== "setup";
    this.checks.hidden = state.state !== "setup";
    if (state.state === "recording" && this.beganAt === null) this.beganAt = performance.now();
  }

  setup(message) {
    this.checks.replaceChildren(...message.checks.map((one) => {
      const icon = one.ok === true ? "✓" : one.ok === false ? "✕" : "•";
      return el("li", { test: "setup-step", class: one.ok === false ? "wrong" : "" },
        `${icon} ${one.text}`);
    }));
  }

  told(message) {
    const words = message.sensors.filter((one) => one.segment).map((one) => {
      const battery = one.battery_percent === null ? "" : ` ${Math.round(one.battery_percent)} %`;
      return `${one.state === "streaming" ? "●" : "○"} ${one.segment}: ${one.state}${battery}`;
    });
    this.sensors.textContent = words.join("   ");
  }

  motion(motion) {
    this.heardAt = performance.now();
    if (this.node.classList.contains("stale")) {
      this.node.classList.remove("stale");
      banner("");
    }
    const shown = motion.shown !== false;
    this.node.classList.toggle("blind", !shown);
    this.angle.textContent = shown ? degrees(motion.ir_deg) : "";
    this.angle.classList.toggle("unsure", !motion.sure);
    this.count.textContent = `${motion.reps}`;
    this.phase.textContent = PHASES[motion.phase] || "";
    this.gauge.set(shown ? motion.ir_deg : 0, shown ? this.ghostDeg() : null);
    this.tellPace();
    this.level.set(motion);
    this.pelvis.textContent = this.level.words(motion);
    const cue = this.state.mode === "measure" && !SAFETY.has(motion.cue) ? null : motion.cue;
    const text = cue ? CUES[cue] || cue : "";
    if (this.cue.textContent !== text) this.cue.textContent = text;
    if (motion.last) this.verdicts.set(motion.last.rep, motion.last.verdict);
    this.drawDots(motion.reps);
    this.keepCurve(motion, shown);
    this.sound(motion, shown, cue);
  }

  sound(motion, shown, cue) {
    const target = this.state.target_deg;
    if (shown && target && motion.ir_deg >= target && !this.ticked) tick();
    this.ticked = Boolean(target) && motion.ir_deg >= target - 4 && (this.ticked || motion.ir_deg >= target);
    const drifts = cue === "level_pelvis" || cue === "sit_tall";
    if (drifts && performance.now() > this.lowAt + 1000 * OFTEN_S) {
      this.lowAt = performance.now();
      low();
    }
  }

  // A sensor or the link may be silent: the last angle must not look like the present one.
  watch() {
    const running = this.state.state === "recording" && this.heardAt > 0;
    if (!running || performance.now() - this.heardAt < 1000 * SILENT_S) return;
    if (this.node.classList.contains("stale")) return;
    this.node.classList.add("stale");
    this.angle.textContent = "–";
    banner("⚠ Nothing comes from the sensors.", "warning");
  }

  // --- the pacer, and the ghost that makes the right movement

  paceAt() {
    const pace = this.state.pace;
    if (!pace || this.beganAt === null) return null;
    const whole = pace.in_s + pace.hold_s + pace.back_s + PAUSE_S;
    let at = ((performance.now() - this.beganAt) / 1000) % whole;
    if (at < pace.in_s) return ["Breathe out, turn in", at / pace.in_s];
    at -= pace.in_s;
    if (at < pace.hold_s) return ["Hold", 1];
    at -= pace.hold_s;
    return at < pace.back_s ? ["Guide back", 1 - at / pace.back_s] : ["Rest", 0];
  }

  ghostDeg() {
    const at = this.state.mode === "measure" ? null : this.paceAt();
    if (at === null) return null;
    return (this.state.target_deg || 30) * 0.5 * (1 - Math.cos(Math.PI * at[1]));
  }

  tellPace() {
    const at = this.paceAt();
    this.pace.textContent = at ? at[0] : "";
  }

  // --- what was

  drawDots(reps) {
    const planned = Math.max(this.state.planned_reps || 0, reps);
    const key = `${planned} ${reps} ${this.verdicts.size}`;
    if (this.dotted === key) return;
    this.dotted = key;
    this.dots.setAttribute("viewBox", `0 0 ${Math.max(planned, 1) * 24} 24`);
    this.dots.replaceChildren(...Array.from({ length: planned }, (_, at) => {
      const verdict = this.verdicts.get(at + 1);
      const done = at < reps;
      const sign = !done ? "" : verdict === undefined || verdict === "clean" ? "✓" : "!";
      return svg("g", { class: done ? (sign === "!" ? "flagged" : "clean") : "open" },
        svg("circle", { cx: at * 24 + 12, cy: 12, r: 10 }),
        svg("text", { x: at * 24 + 12, y: 17 }, sign));
    }));
    this.dots.setAttribute("aria-label", `${reps} of ${planned} repetitions`);
  }

  keepCurve(motion, shown) {
    const turns = this.turns;
    const present = turns[turns.length - 1];
    if (motion.phase === "inward" && this.before === "still" && present.length > 5) turns.push([]);
    this.before = motion.phase;
    turns[turns.length - 1].push([motion.time_s, motion.ir_deg]);
    if (turns.length > 4) turns.shift();
    if (!shown) return this.curves.replaceChildren();
    this.curves.replaceChildren(...turns.map((turn, at) => {
      const began = turn[0][0];
      const points = turn.filter(([time]) => time - began < TRAIL_S)
        .map(([time, deg]) => `${((time - began) * 200) / TRAIL_S},${-deg}`);
      return svg("polyline", { points: points.join(" "), class: at === turns.length - 1 ? "now" : "past" });
    }));
  }

  key(event) {
    if (!this.pains.hidden && /^[0-9]$/.test(event.key)) return this.pain(Number(event.key));
    const keys = {
      Escape: () => { this.pains.hidden = true; },
      " ": () => this.send({ type: "stop" }),
      p: () => this.askPain(),
      c: () => this.mark("cramp"),
      i: () => this.mark("pinch"),
      m: () => this.mute.click(),
      s: () => this.send({ type: "next_side" }),
    };
    if (!keys[event.key]) return false;
    keys[event.key]();
    return true;
  }

  close() {
    clearInterval(this.timer);
    this.lock?.release?.();
    banner("");
  }
}

const SAFETY = new Set(["stop_pain", "sensors", "other_side"]);
