// The trace, as its tracks. An event is a number: calls first, then marks.

const DATA = JSON.parse(document.getElementById("data").textContent);
const CALLS = DATA.calls;
const COUNT = CALLS.time.length;
const EVENTS = COUNT + DATA.marks.length;
const NONE = -1;
const NO_RETURN = 1, INJECTED = 2;

const isCall = (event) => event < COUNT;
const markOf = (event) => DATA.marks[event - COUNT];
const startOf = (event) => isCall(event) ? CALLS.time[event] : markOf(event).time;
const endOf = (event) => isCall(event) ? CALLS.time[event] + CALLS.duration[event] : markOf(event).time;
const rowOf = (event) => isCall(event) ? CALLS.task[event] : markOf(event).task;
const nameOf = (event) => isCall(event) ? DATA.names[CALLS.name[event]][0] : markOf(event).title;
const categoryOf = (event) => isCall(event) ? DATA.names[CALLS.name[event]][1] : "signal";
const argsOf = (event) => CALLS.args[event].map((at) => DATA.strings[at]);
const resultOf = (event) => DATA.strings[CALLS.result[event]];
const failed = (event) => isCall(event) && CALLS.errno[event] >= 0;

// One track per task: the tasks of a process are together, the processes in the order of their beginnings.
const TRACKS = (() => {
  const processes = new Map();
  DATA.tasks.forEach((task, row) => {
    if (!processes.has(task.pid)) processes.set(task.pid, []);
    processes.get(task.pid).push({ ...task, row, calls: [], marks: [], events: [] });
  });
  const tracks = [...processes.values()].flat();
  const byRow = [];
  for (const track of tracks) byRow[track.row] = track;
  for (let event = 0; event < EVENTS; event++) {
    const track = byRow[rowOf(event)];
    (isCall(event) ? track.calls : track.marks).push(event);
    track.events.push(event);
  }
  tracks.forEach((track, place) => {
    track.place = place;
    track.isThread = track.pid !== track.tid;
    track.events.sort((a, b) => startOf(a) - startOf(b) || a - b);
  });
  return tracks;
})();
const TRACK_OF_ROW = [];
for (const track of TRACKS) TRACK_OF_ROW[track.row] = track;
const trackOf = (event) => TRACK_OF_ROW[rowOf(event)];

const LAST = Math.max(1, ...DATA.tasks.map((task) => task.last));

// The place of the first element of a list of events, ordered by time, for which `is` holds.
function firstWhere(list, is) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

// A fork's arrow: from the call that made the task to the first thing the task did.
const ARROWS = DATA.forks.map((fork) => {
  const from = TRACK_OF_ROW[fork.from], to = TRACK_OF_ROW[fork.to];
  const next = to.events.find((event) => endOf(event) >= fork.time);
  return { from, to, start: fork.time, end: next === undefined ? fork.time : Math.max(startOf(next), fork.time) };
});
