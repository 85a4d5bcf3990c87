// Dark or light, and the colours as the canvases need them.

const CATEGORIES = ["file", "io", "memory", "process", "signal", "network", "time", "other"];
const TITLES = { file: "files", io: "data", memory: "memory", process: "tasks", signal: "signals", network: "network", time: "time", other: "other" };
const COLOURS = {};
const DARK = matchMedia("(prefers-color-scheme: dark)");

// Pages opened as files may not be allowed to remember anything.
const remembered = {
  get() { try { return localStorage.getItem("trace-theme"); } catch { return null; } },
  set(theme) { try { localStorage.setItem("trace-theme", theme); } catch { /* then it is forgotten */ } },
};

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const style = getComputedStyle(document.documentElement);
  const names = ["page", "card", "sunk", "line", "faint", "text", "soft", "weak", "accent", "hit", "bad", "label", "life", "stripe", "mono", "font"];
  for (const name of [...names, ...CATEGORIES]) COLOURS[name] = style.getPropertyValue(`--${name}`).trim();
  redraw();
}

function switchTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  remembered.set(theme);
  setTheme(theme);
}

// Sizes a canvas for the screen's own pixels; its context counts in the page's.
function contextOf(canvas) {
  const { width, height } = canvas.getBoundingClientRect(), ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}
