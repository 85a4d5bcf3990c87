// The whole trace in one strip: how many calls there were at every moment, what failed, what was found, and where the view is.

const overview = document.getElementById("overview");
const overviewX = (time, width) => GUTTER + (time + MARGIN) / (LAST + 2 * MARGIN) * (width - GUTTER);
const overviewTime = (x, width) => (x - GUTTER) / (width - GUTTER) * (LAST + 2 * MARGIN) - MARGIN;

// Counting takes a while, so it is done once per width and search.
const density = { key: "", bars: null };

function drawOverview() {
  const { context, width, height } = contextOf(overview);
  context.clearRect(0, 0, width, height);
  const key = `${width} ${search.words}`;
  if (density.key !== key) {
    density.key = key;
    density.bars = count(width);
  }
  const { all, bad, hit } = density.bars, most = Math.max(1, ...all), room = height - 12;
  for (let at = 0; at < all.length; at++) {
    if (!all[at]) continue;
    const x = GUTTER + at * 2, bar = (number) => Math.max(2, Math.sqrt(number / most) * room);
    context.fillStyle = search.active ? COLOURS.line : COLOURS.weak;
    context.fillRect(x, height - 5 - bar(all[at]), 1.5, bar(all[at]));
    const [colour, number] = search.active ? [COLOURS.hit, hit[at]] : [COLOURS.bad, bad[at]];
    if (!number) continue;
    context.fillStyle = colour;
    context.fillRect(x, height - 5 - bar(number), 1.5, bar(number));
  }
  const left = overviewX(view.start, width), right = Math.max(overviewX(view.end, width), left + 3);
  context.fillStyle = COLOURS.accent;
  context.globalAlpha = 0.13;
  context.fillRect(left, 0, right - left, height);
  context.globalAlpha = 1;
  context.fillRect(left, 0, 2, height);
  context.fillRect(right - 2, 0, 2, height);
  context.fillStyle = COLOURS.soft;
  context.font = `11px ${COLOURS.font}`;
  context.textBaseline = "middle";
  context.fillText("whole trace", 14, height / 2 - 7);
  context.fillStyle = COLOURS.text;
  context.font = `600 12.5px ${COLOURS.font}`;
  context.fillText(duration(LAST), 14, height / 2 + 8);
}

function count(width) {
  const size = Math.max(1, Math.ceil((width - GUTTER) / 2));
  const [all, bad, hit] = [0, 0, 0].map(() => new Uint32Array(size));
  for (let event = 0; event < EVENTS; event++) {
    const at = Math.min(size - 1, Math.max(0, Math.floor((overviewX(startOf(event), width) - GUTTER) / 2)));
    all[at]++;
    if (failed(event)) bad[at]++;
    if (search.isHit(event)) hit[at]++;
  }
  return { all, bad, hit };
}

overview.addEventListener("pointerdown", (down) => {
  overview.setPointerCapture(down.pointerId);
  const move = (event) => {
    state.flight++;
    const { left, width } = overview.getBoundingClientRect();
    const middle = overviewTime(event.clientX - left, width);
    look(middle - span() / 2, middle + span() / 2);
  };
  move(down);
  overview.addEventListener("pointermove", move);
  overview.addEventListener("pointerup", () => overview.removeEventListener("pointermove", move), { once: true });
});
