// The map's colours are custom properties of seatmap.css. A canvas needs them resolved (`light-dark()`, system colours),
// which the browser does for the `color` of an element.

const NAMES = [
  "ground", "section", "ink", "faint", "line", "stage", "on-stage", "pill",
  "free", "on-free", "held", "sold", "selected", "on-selected", "own", "on-own", "focus",
];

/** Colours by name, as they are now. `probe` is an element inside the map that nobody sees. */
export function readPalette(probe) {
  const palette = {};
  const style = getComputedStyle(probe);
  for (const name of NAMES) {
    probe.style.color = `var(--seat-${name})`;
    palette[name] = style.color;
  }
  return palette;
}

/** Calls back when the colours or the density of the screen may have changed. */
export function onLook(listener, signal) {
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)", "(prefers-contrast: more)"]) {
    matchMedia(query).addEventListener("change", listener, { signal });
  }
  const density = () => {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
      listener();
      density();
    }, { signal, once: true });
  };
  density();
}
