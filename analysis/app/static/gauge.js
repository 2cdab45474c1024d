// The leg as the person sees it: a shank that hangs, and swings out as the thigh turns in; and the
// pelvis as a level. Drawn as SVG, so that forced colours and screen readers keep it.

import { svg } from "./dom.js";

const CENTRE = [120, 24];
const LENGTH = 150;
const MOST_DEG = 60;
const BAND_DEG = 3;

const way = (side) => (side === "right" ? -1 : 1);

function point(deg, radius) {
  const turn = (deg * Math.PI) / 180;
  return [CENTRE[0] - radius * Math.sin(turn), CENTRE[1] + radius * Math.cos(turn)];
}

function arc(from, to, radius) {
  const [x1, y1] = point(from, radius);
  const [x2, y2] = point(to, radius);
  return `M${x1} ${y1}A${radius} ${radius} 0 0 ${to > from ? 1 : 0} ${x2} ${y2}`;
}

export class Gauge {
  constructor(side, target) {
    this.way = way(side);
    const scale = svg("path", { class: "scale", d: arc(-15 * this.way, MOST_DEG * this.way, LENGTH) });
    const marks = [0, 15, 30, 45, 60].map((deg) => {
      const [x, y] = point(deg * this.way, LENGTH + 13);
      return svg("text", { x, y: y + 4, class: "mark" }, `${deg}`);
    });
    this.band = svg("path", { class: "band" });
    this.ghost = this.needle("ghost");
    this.shank = this.needle("shank");
    this.curve = svg("path", { class: "trail" });
    this.node = svg(
      "svg",
      { class: "gauge", viewBox: "-50 0 340 205", role: "img", "aria-label": "Angle of the leg" },
      scale, this.band, ...marks, this.ghost, this.shank,
      svg("circle", { cx: CENTRE[0], cy: CENTRE[1], r: 9, class: "knee" }),
    );
    this.aim(target);
  }

  needle(name) {
    const [x, y] = CENTRE;
    return svg("line", { class: name, x1: x, y1: y, x2: x, y2: y + LENGTH - 8 });
  }

  aim(target) {
    this.target = target;
    const [from, to] = [target - BAND_DEG, target + BAND_DEG].map((deg) => deg * this.way);
    this.band.setAttribute("d", target ? arc(from, to, LENGTH) : "");
  }

  turn(needle, deg) {
    const shown = Math.max(-20, Math.min(MOST_DEG + 10, deg));
    needle.setAttribute("transform", `rotate(${shown * this.way} ${CENTRE.join(" ")})`);
  }

  set(deg, ghostDeg) {
    this.turn(this.shank, deg);
    this.ghost.toggleAttribute("hidden", ghostDeg === null);
    this.ghost.style.display = ghostDeg === null ? "none" : "";
    if (ghostDeg !== null) this.turn(this.ghost, ghostDeg);
  }
}

export class Level {
  constructor(side) {
    this.way = way(side);
    this.bar = svg("line", { class: "bar", x1: 20, y1: 30, x2: 180, y2: 30 });
    this.title = svg("title", {}, "Pelvis");
    this.node = svg(
      "svg",
      { class: "level", viewBox: "0 0 200 60", role: "img", "data-testid": "pelvis-level" },
      this.title,
      svg("line", { class: "datum", x1: 10, y1: 30, x2: 190, y2: 30 }),
      this.bar,
    );
  }

  // Obliquity is + where the working side's hip rises; the left hip is on the person's left.
  set(motion) {
    const deg = motion.pelvis_obliquity_deg;
    this.bar.setAttribute("transform", `rotate(${3 * deg * this.way} 100 30)`);
    this.title.textContent = this.words(motion);
  }

  words(motion) {
    const [hip, tilt, turn] = [
      motion.pelvis_obliquity_deg, motion.pelvis_tilt_deg, motion.pelvis_rotation_deg,
    ];
    const said = [];
    if (Math.abs(hip) >= 3) said.push(hip > 0 ? "hip rises" : "hip drops");
    if (Math.abs(tilt) >= 4) said.push(tilt > 0 ? "back arches" : "back rounds");
    if (Math.abs(turn) >= 4) said.push(turn > 0 ? "hip comes forward" : "hip goes back");
    return said.length ? `Pelvis: ${said.join(", ")}` : "Pelvis level";
  }
}
