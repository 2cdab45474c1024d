// Elements from values. Text is always text: a name with markup in it stays a name.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key === "test" ? "data-testid" : key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return element;
}

export const el = (name, attributes = {}, ...children) =>
  fill(document.createElement(name), attributes, children);

export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

export function show(...children) {
  const view = document.getElementById("view");
  view.replaceChildren(...children.filter(Boolean));
  return view;
}

const NOTE_S = 5;
let fading = null;

// A warning stays until it is taken away; a note goes by itself.
export function banner(text, kind = "note") {
  const place = document.getElementById("banner");
  clearTimeout(fading);
  if (text && kind === "note") fading = setTimeout(() => banner(""), 1000 * NOTE_S);
  if (place.textContent === text && place.dataset.kind === kind) return;
  place.textContent = text;
  place.dataset.kind = kind;
  place.hidden = !text;
}

export async function call(path, body) {
  const asked = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(path, asked);
  const found = await answer.json().catch(() => ({ error: "The app does not answer." }));
  if (!answer.ok) throw new Error(found.error || "That did not work.");
  return found;
}

export const path = (...parts) => "/" + parts.map(encodeURIComponent).join("/");
export const route = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");
