// Mouse, keys, and the beginning.

const tip = document.getElementById("tip");
const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

// The event at a point; what is thin can be hit from a few pixels away.
function eventAt(x, y) {
  const track = TRACKS[Math.floor((y - RULER + view.top) / TRACK)];
  if (x < GUTTER || y < RULER || !track) return NONE;
  const reach = span() / lane() * 5, time = toTime(x);
  const mark = track.marks.find((event) => Math.abs(startOf(event) - time) <= reach);
  if (mark !== undefined && y - trackTop(track) <= LANE) return mark;
  const after = firstWhere(track.calls, (call) => CALLS.time[call] + CALLS.duration[call] >= time);
  let nearest = NONE, distance = reach;
  for (const call of [track.calls[after - 1], track.calls[after]]) {
    if (call === undefined) continue;
    const away = Math.max(CALLS.time[call] - time, time - endOf(call), 0);
    if (away < distance || away === 0) [nearest, distance] = [call, away];
  }
  return nearest !== NONE ? nearest : mark ?? NONE;
}

function hover(event, x, y) {
  if (event !== state.hovered) {
    state.hovered = event;
    redraw();
  }
  tip.hidden = event === NONE;
  if (tip.hidden) return;
  const detail = isCall(event) ? `(${shortened(argsOf(event).join(", "), 240)})` : markOf(event).text;
  const row = isCall(event) ? [`= ${shortened(resultOf(event), 60)}`, duration(CALLS.duration[event])] : [];
  tip.replaceChildren(element("b", {}, nameOf(event)), element("div", { class: "args" }, detail),
    element("div", { class: "row" }, ...[...row, moment(startOf(event), 1)].map((text) => element("span", {}, text))));
  tip.style.left = `${Math.max(8, Math.min(x + 14, view.width - tip.offsetWidth - 12))}px`;
  const above = y + overview.offsetHeight + 18 + tip.offsetHeight > view.height + overview.offsetHeight;
  tip.style.top = `${y + overview.offsetHeight + (above ? -tip.offsetHeight - 12 : 18)}px`;
}

function measure(range) {
  const changed = range !== state.range;
  state.range = range;
  if (changed) showStatistics();
  redraw();
}

canvas.addEventListener("pointerdown", (down) => {
  if (down.button !== 0) return;
  canvas.setPointerCapture(down.pointerId);
  canvas.focus();
  const [x, y] = place(down), measuring = down.shiftKey, from = toTime(x);
  let last = [x, y], moved = false;
  const move = (event) => {
    const [nowX, nowY] = place(event);
    if (!moved && Math.hypot(nowX - x, nowY - y) < 4) return;
    moved = true;
    hover(NONE);
    canvas.classList.add(measuring ? "measuring" : "grabbing");
    if (measuring) {
      state.range = [from, toTime(nowX)].sort((a, b) => a - b);
      redraw();
    } else {
      pan(last[0] - nowX);
      scroll(last[1] - nowY);
    }
    last = [nowX, nowY];
  };
  const up = () => {
    canvas.removeEventListener("pointermove", move);
    canvas.classList.remove("measuring", "grabbing");
    if (measuring && moved) showStatistics();
    if (!moved) {
      measure(null);
      search.at = NONE;
      select(eventAt(x, y));
      showHits();
    }
  };
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up, { once: true });
});
canvas.addEventListener("pointermove", (event) => {
  if (!event.buttons) hover(eventAt(...place(event)), ...place(event));
});
canvas.addEventListener("pointerleave", () => hover(NONE));
canvas.addEventListener("dblclick", fitSelected);
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  hover(NONE);
  const [x] = place(event), unit = event.deltaMode === 1 ? 16 : 1;
  if (event.shiftKey) scroll((event.deltaY || event.deltaX) * unit);
  else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX * unit);
  else zoom(Math.exp(event.deltaY * unit * 0.0016), x);
}, { passive: false });

const keys = document.getElementById("keys");
const clear = () => { searchFor(""); measure(null); select(NONE); };
const ACTIONS = {
  w: () => zoom(0.7), s: () => zoom(1 / 0.7), "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7),
  a: () => pan(-lane() * 0.18), d: () => pan(lane() * 0.18), ArrowLeft: () => pan(-lane() * 0.18), ArrowRight: () => pan(lane() * 0.18),
  ArrowUp: () => scroll(-TRACK), ArrowDown: () => scroll(TRACK), PageUp: () => scroll(-view.height / 2), PageDown: () => scroll(view.height / 2),
  ",": () => go(-1), ".": () => go(1), f: fitSelected, 0: fitAll, Home: fitAll,
  n: () => step(true), N: () => step(false), t: switchTheme, "?": () => keys.showModal(),
  "/": () => { query.focus(); query.select(); }, Escape: clear,
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (event.target === query) {
    if (event.key === "Escape") { clear(); canvas.focus(); }
    return;
  }
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
document.getElementById("fit").addEventListener("click", fitAll);
document.getElementById("theme").addEventListener("click", switchTheme);
document.getElementById("help").addEventListener("click", () => keys.showModal());
DARK.addEventListener("change", () => { if (!remembered.get()) setTheme(DARK.matches ? "dark" : "light"); });
new ResizeObserver(() => { redraw(); scroll(0); }).observe(canvas);

showSummary();
showStatistics();
select(NONE);
state.dirty = false;
setTheme(remembered.get() ?? (DARK.matches ? "dark" : "light"));
