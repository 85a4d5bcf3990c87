// What is known about the selected event.

const details = document.getElementById("details");

function select(event) {
  state.selected = event;
  if (event === NONE) {
    details.replaceChildren(element("h2", {}, "Details"), element("p", { class: "hint" }, "Click an event. ", element("kbd", {}, "?"), " lists the keys."));
  } else {
    details.replaceChildren(...(isCall(event) ? describeCall(event) : describeMark(event)), facts(event), steps(event));
  }
  redraw();
}

function heading(event, ...tags) {
  const swatch = isCall(event) ? categoryOf(event) : MARK_COLOURS[markOf(event).kind];
  return element("p", { class: "name", style: `--swatch: var(--${swatch})` }, element("i"), nameOf(event), ...tags.map((tag) => element("span", { class: "tag" }, tag)));
}

function describeCall(event) {
  const tags = [];
  if (failed(event)) tags.push(DATA.strings[CALLS.errno[event]]);
  if (CALLS.flags[event] & INJECTED) tags.push("injected");
  if (CALLS.flags[event] & NO_RETURN) tags.push("did not return");
  const args = element("ol", { class: "args" }, ...argsOf(event).map((arg) => element("li", {}, element("span", {}, arg))));
  const result = element("p", { class: failed(event) ? "result bad" : "result" }, `= ${resultOf(event)}`);
  return [heading(event, ...tags), args, result];
}

function describeMark(event) {
  const { text } = markOf(event);
  return text ? [heading(event), element("p", { class: "result" }, text)] : [heading(event)];
}

function facts(event) {
  const track = trackOf(event), rows = [["at", moment(startOf(event), 1)]];
  if (isCall(event)) rows.push(["took", duration(CALLS.duration[event])]);
  const before = neighbour(event, -1);
  if (before !== NONE) rows.push(["since the last event", duration(Math.max(0, startOf(event) - endOf(before)))]);
  rows.push(["task", `${track.program} · ${track.isThread ? `pid ${track.pid} · tid ${track.tid}` : `pid ${track.pid}`}`]);
  return element("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function steps(event) {
  const button = (text, title, onclick) => element("button", { type: "button", title, onclick }, text);
  return element("div", { class: "steps" },
    button("‹ before", "Previous event of the task (,)", () => go(-1)),
    button("Zoom", "Zoom to it (F)", fitSelected),
    button("Copy", "Copy as a line of text", () => navigator.clipboard?.writeText(lineOf(event))),
    button("after ›", "Next event of the task (.)", () => go(1)));
}

function neighbour(event, distance) {
  const { events } = trackOf(event);
  return events[events.indexOf(event) + distance] ?? NONE;
}

function go(distance) {
  const next = state.selected === NONE ? NONE : neighbour(state.selected, distance);
  if (next === NONE) return;
  select(next);
  reveal(next);
}

function fitSelected() {
  if (state.range) fit(...state.range, 0.05);
  else if (state.selected !== NONE) fit(startOf(state.selected), endOf(state.selected), 1.2);
}
