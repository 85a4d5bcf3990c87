// The timeline.

const STEPS = [1, 2, 5];

function draw() {
  const { context, width, height } = contextOf(canvas);
  view.width = width;
  view.height = height;
  context.fillStyle = COLOURS.page;
  context.fillRect(0, 0, width, height);
  context.textBaseline = "middle";
  const visible = TRACKS.filter((track) => trackTop(track) < height && trackTop(track) + TRACK > RULER);
  for (const track of visible) drawTrack(context, track, width);
  drawRuler(context, width, height);
  context.save();
  context.beginPath();
  context.rect(GUTTER, RULER, width - GUTTER, height - RULER);
  context.clip();
  for (const track of visible) drawCalls(context, track, width);
  for (const arrow of ARROWS) drawArrow(context, arrow, width, height);
  for (const track of visible) drawMarks(context, track, width);
  drawSelection(context);
  drawMeasured(context, height);
  context.restore();
  for (const track of visible) drawLabel(context, track);
  drawScrolled(context, width, height);
}

// Where the visible tracks are among all, if there are more.
function drawScrolled(context, width, height) {
  const all = TRACKS.length * TRACK + 8, room = height - RULER;
  if (all <= room) return;
  context.fillStyle = COLOURS.weak;
  context.globalAlpha = 0.6;
  context.beginPath();
  context.roundRect(width - 7, RULER + 2 + view.top / all * room, 5, room / all * room - 4, 2.5);
  context.fill();
  context.globalAlpha = 1;
}

function drawTrack(context, track, width) {
  const top = trackTop(track);
  if (track.place % 2) {
    context.fillStyle = COLOURS.stripe;
    context.fillRect(0, top, width, TRACK);
  }
  context.fillStyle = COLOURS.faint;
  context.fillRect(0, top + TRACK - 1, width, 1);
  // How long the task has lived.
  const start = Math.max(toX(track.first), GUTTER), end = Math.min(toX(track.last), width);
  if (end <= start) return;
  context.fillStyle = COLOURS.life;
  context.fillRect(start, top + LANE + SLICE / 2 - 3, Math.max(end - start, 1), 6);
}

function drawRuler(context, width, height) {
  context.fillStyle = COLOURS.card;
  context.fillRect(0, 0, width, RULER);
  context.fillRect(0, RULER, GUTTER, height);
  const least = span() / lane() * 92;
  const size = 10 ** Math.floor(Math.log10(least));
  const step = STEPS.map((factor) => factor * size).find((step) => step >= least) ?? 10 * size;
  context.font = `11px ${COLOURS.font}`;
  for (let time = Math.max(0, Math.ceil(view.start / step) * step); time <= view.end; time += step) {
    const x = Math.round(toX(time));
    if (x < GUTTER) continue;
    context.fillStyle = COLOURS.line;
    context.globalAlpha = 0.55;
    context.fillRect(x, RULER, 1, height);
    context.globalAlpha = 1;
    context.fillRect(x, RULER - 7, 1, 7);
    context.fillStyle = COLOURS.soft;
    context.fillText(moment(time, step), x + 5, RULER / 2);
  }
  context.fillStyle = COLOURS.line;
  context.fillRect(0, RULER - 1, width, 1);
  context.fillRect(GUTTER - 1, 0, 1, height);
}

function drawLabel(context, track) {
  const top = trackTop(track), middle = top + TRACK / 2;
  context.save();
  context.beginPath();
  context.rect(0, RULER, GUTTER - 8, view.height);
  context.clip();
  const indent = track.isThread ? 30 : 14;
  if (track.isThread) {
    context.strokeStyle = COLOURS.weak;
    context.beginPath();
    context.moveTo(19.5, top + 6);
    context.lineTo(19.5, middle + 0.5);
    context.lineTo(25, middle + 0.5);
    context.stroke();
  }
  context.fillStyle = COLOURS.text;
  context.font = `600 12.5px ${COLOURS.font}`;
  context.fillText(track.program, indent, middle - 7);
  context.fillStyle = COLOURS.soft;
  context.font = `11px ${COLOURS.font}`;
  context.fillText(`${track.isThread ? "thread" : "pid"} ${track.tid} · ${grouped(track.calls.length)} calls`, indent, middle + 9);
  context.restore();
}

// What falls on one pixel is drawn once: the tallest claim to it is that of a hit, then of a failure.
function drawCalls(context, track, width) {
  const top = trackTop(track) + LANE, calls = track.calls;
  let at = firstWhere(calls, (call) => CALLS.time[call] + CALLS.duration[call] >= view.start);
  context.font = `11.5px ${COLOURS.mono}`;
  let taken = -1, best = 0;
  for (; at < calls.length && CALLS.time[calls[at]] <= view.end; at++) {
    const call = calls[at];
    const left = Math.max(toX(CALLS.time[call]), GUTTER - 4);
    const right = Math.min(toX(CALLS.time[call] + CALLS.duration[call]), width + 4);
    const length = right - left;
    if (length < 1.5) {
      const pixel = Math.floor(left), claim = 1 + (search.isHit(call) ? 2 : 0) + (failed(call) ? 1 : 0);
      if (pixel === taken && claim <= best) continue;
      best = claim;
      taken = pixel;
      drawSlice(context, call, pixel, top, 1);
    } else {
      drawSlice(context, call, left, top, Math.max(length - (length > 4 ? 1 : 0), 1.5));
    }
  }
}

function drawSlice(context, call, left, top, width) {
  const dim = search.active && !search.isHit(call);
  context.globalAlpha = dim ? 0.16 : 1;
  context.fillStyle = COLOURS[categoryOf(call)];
  context.beginPath();
  context.roundRect(left, top, width, SLICE, Math.min(4, width / 2));
  context.fill();
  if (failed(call)) {
    context.fillStyle = COLOURS.bad;
    context.fillRect(left, top + SLICE - 3, width, 3);
  }
  if (search.active && !dim) {
    context.fillStyle = COLOURS.hit;
    context.fillRect(left, top - 4, Math.max(width, 2), 3);
  }
  if (width > 22) drawText(context, call, left, top, width);
  context.globalAlpha = 1;
}

function drawText(context, call, left, top, width) {
  const room = Math.floor((width - 12) / 7);
  if (room < 2) return;
  const name = nameOf(call);
  // The arguments are looked up only where there is room for some.
  const text = room > name.length + 8 ? `${name}(${argsOf(call).join(", ")})` : name;
  context.fillStyle = COLOURS.label;
  context.fillText(shortened(text, room), left + 6, top + SLICE / 2 + 0.5);
}

function drawArrow(context, arrow, width, height) {
  const [x1, x2] = [toX(arrow.start), toX(arrow.end)];
  const down = arrow.to.place > arrow.from.place;
  const y1 = trackTop(arrow.from) + LANE + (down ? SLICE : 0), y2 = trackTop(arrow.to) + LANE + (down ? 0 : SLICE);
  if (Math.max(x1, x2) < GUTTER || Math.min(x1, x2) > width || Math.max(y1, y2) < RULER || Math.min(y1, y2) > height) return;
  const bend = Math.max(14, Math.min(60, (x2 - x1) / 2)), drop = down ? 1 : -1;
  context.strokeStyle = context.fillStyle = COLOURS.process;
  context.globalAlpha = search.active ? 0.35 : 0.9;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x1, y1);
  context.bezierCurveTo(x1 + bend * 0.2, y1 + 16 * drop, x2 - bend, y2 - 20 * drop, x2, y2 - 4 * drop);
  context.stroke();
  context.beginPath();
  context.moveTo(x2, y2);
  context.lineTo(x2 - 4, y2 - 7 * drop);
  context.lineTo(x2 + 4, y2 - 7 * drop);
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1;
}

const MARK_COLOURS = { signal: "signal", stop: "signal", exec: "accent", exit: "soft", killed: "bad" };

function drawMarks(context, track, width) {
  const top = trackTop(track);
  for (const event of track.marks) {
    const mark = markOf(event), x = toX(mark.time);
    if (x < GUTTER - 8 || x > width + 8) continue;
    context.globalAlpha = search.active && !search.isHit(event) ? 0.25 : 1;
    context.fillStyle = COLOURS[MARK_COLOURS[mark.kind]];
    context.fillRect(x - 0.75, top + 4, 1.5, LANE + SLICE - 4);
    context.beginPath();
    if (mark.kind === "signal" || mark.kind === "stop") {
      context.moveTo(x - 5, top + 2);
      context.lineTo(x + 5, top + 2);
      context.lineTo(x, top + 10);
    } else if (mark.kind === "exec") {
      context.moveTo(x - 0.75, top + 2);
      context.lineTo(x + 9, top + 5.5);
      context.lineTo(x - 0.75, top + 9);
    } else {
      context.roundRect(x - 4, top + 2, 8, 8, 2);
    }
    context.fill();
    context.globalAlpha = 1;
  }
}

function drawSelection(context) {
  for (const [event, colour, line] of [[state.hovered, COLOURS.text, 1], [state.selected, COLOURS.accent, 2]]) {
    if (event === NONE) continue;
    const top = trackTop(trackOf(event)) + LANE, left = toX(startOf(event)), length = toX(endOf(event)) - left;
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.beginPath();
    if (isCall(event)) context.roundRect(left - 1, top - 1, Math.max(length, 1.5) + 1, SLICE + 2, 5);
    else context.roundRect(left - 7, top - LANE, 14, SLICE + LANE + 2, 5);
    context.stroke();
    if (isCall(event) && length < 5) {
      context.fillStyle = colour;
      context.beginPath();
      context.moveTo(left - 4, top + SLICE + 7);
      context.lineTo(left + 5, top + SLICE + 7);
      context.lineTo(left + 0.5, top + SLICE + 2);
      context.fill();
    }
  }
  context.lineWidth = 1;
}

function drawMeasured(context, height) {
  if (!state.range) return;
  const [left, right] = state.range.map(toX);
  context.fillStyle = COLOURS.accent;
  context.globalAlpha = 0.12;
  context.fillRect(left, RULER, right - left, height);
  context.globalAlpha = 1;
  context.fillRect(left, RULER, 1, height);
  context.fillRect(right, RULER, 1, height);
}
