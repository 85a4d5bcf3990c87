// What is seen: a range of time, and how far the tracks are scrolled.

const GUTTER = 178, RULER = 28, TRACK = 42, LANE = 12, SLICE = 22;
const MARGIN = LAST * 0.02;
const SHORTEST = 40;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

const view = { start: -MARGIN, end: LAST + MARGIN, top: 0, width: 1, height: 1 };
const state = { selected: NONE, hovered: NONE, range: null, dirty: true, flight: 0 };

const canvas = document.getElementById("timeline");
const span = () => view.end - view.start;
const lane = () => Math.max(1, view.width - GUTTER);
const toX = (time) => GUTTER + (time - view.start) / span() * lane();
const toTime = (x) => view.start + (x - GUTTER) / lane() * span();
const trackTop = (track) => RULER + track.place * TRACK - view.top;

function redraw() {
  if (state.dirty) return;
  state.dirty = true;
  requestAnimationFrame(() => { state.dirty = false; draw(); drawOverview(); showRange(); });
}

function look(start, end) {
  const whole = LAST + 2 * MARGIN;
  const wanted = Math.min(Math.max(end - start, SHORTEST), whole);
  const middle = (start + end) / 2;
  view.start = Math.min(Math.max(middle - wanted / 2, -MARGIN), LAST + MARGIN - wanted);
  view.end = view.start + wanted;
  redraw();
}

// Moves there in a few frames, so that the eye can follow.
function flyTo(start, end) {
  const flight = ++state.flight;
  const from = [view.start, view.end], begun = performance.now();
  const step = (now) => {
    if (flight !== state.flight) return;
    const done = STILL.matches ? 1 : Math.min(1, (now - begun) / 170);
    const eased = 1 - (1 - done) ** 3;
    look(from[0] + (start - from[0]) * eased, from[1] + (end - from[1]) * eased);
    if (done < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function zoom(factor, x = GUTTER + lane() / 2) {
  state.flight++;
  const at = toTime(Math.max(x, GUTTER)), length = Math.max(span() * factor, SHORTEST);
  const share = (at - view.start) / span();
  look(at - share * length, at - share * length + length);
}

function pan(pixels) {
  state.flight++;
  const time = pixels / lane() * span();
  look(view.start + time, view.end + time);
}

function scroll(pixels) {
  const most = Math.max(0, RULER + TRACKS.length * TRACK + 8 - view.height);
  view.top = Math.min(Math.max(view.top + pixels, 0), most);
  redraw();
}

const fitAll = () => flyTo(-MARGIN, LAST + MARGIN);

function fit(start, end, around) {
  const room = Math.max((end - start) * around, SHORTEST);
  flyTo(start - room, end + room);
}

// Brings an event into view without changing more than is needed to see it.
function reveal(event) {
  const track = trackOf(event), top = trackTop(track);
  if (top < RULER) scroll(top - RULER);
  else if (top + TRACK > view.height) scroll(top + TRACK - view.height);
  const start = startOf(event), end = endOf(event), length = end - start;
  const visible = length / span() * lane() >= 6 || !isCall(event);
  if (visible && start >= view.start && end <= view.end) return redraw();
  const wanted = visible ? Math.max(span(), length * 1.4) : Math.max(length * 40, SHORTEST);
  flyTo((start + end - wanted) / 2, (start + end + wanted) / 2);
}

function showRange() {
  const shown = document.getElementById("range");
  const part = state.range ? `measured ${duration(state.range[1] - state.range[0])} · ` : "";
  const step = span() / 1000;
  shown.textContent = `${part}${moment(Math.max(view.start, 0), step)} – ${moment(Math.min(view.end, LAST), step)} · ${duration(span())} in view`;
}
