// Codes in the drill's own words.

export const CUES = {
  slower: "Slower",
  pause: "Pause at the end",
  back_to_neutral: "All the way back",
  level_pelvis: "Keep the pelvis level",
  sit_tall: "Sit tall",
  smaller: "A little less far",
  turn_dont_swing: "Turn the thigh, don't swing it",
  well_done: "Well done",
  other_side: "Enough: other side",
  stop_pain: "Stop: it hurts",
  sensors: "A sensor is silent",
};

export const PHASES = {
  still: "Sit still",
  lift: "Lift",
  inward: "Turn in",
  hold: "Hold",
  return: "Guide back",
};

export const MODES = {
  measure: ["Measure", "No angle is shown: a figure on the screen changes what a person does."],
  train: ["Train", "Angle, target and cues are shown."],
  fade: ["Fade", "The angle is shown in two turns of three, so that the body learns it."],
};

export const WRONG = {
  none: "moves well",
  pelvis: "lifts the pelvis",
  fast: "turns too fast",
  swing: "swings the thigh",
  short: "turns only a little",
};

export const GRADES = { good: "✓ good", usable: "≈ usable", poor: "✕ poor" };

export function verdict(rep) {
  if (rep.excluded) return "✕ excluded";
  if (!rep.counts) return "– does not count";
  if (rep.verdict === "clean") return "✓ clean";
  return "! " + rep.verdict.replaceAll("_", " ");
}

export const degrees = (value) =>
  value === null || value === undefined ? "–" : `${Math.round(value)}°`;

export function day(started) {
  const date = new Date(started);
  if (!started || Number.isNaN(date.getTime())) return "no date";
  return date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
