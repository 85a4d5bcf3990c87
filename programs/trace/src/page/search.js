// Finding events. Every word has to be found in an event; a string of the trace is looked at once per word, however many events have it.

const search = { words: "", active: false, found: new Uint8Array(EVENTS), list: [], at: NONE, isHit: (event) => search.active && search.found[event] === 1 };
const LENGTHS = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9 };
const query = document.getElementById("query"), hits = document.getElementById("hits");

const tableOf = (is) => Uint8Array.from(DATA.strings, (text) => is(text) ? 1 : 0);

// A word as a test of events.
function testOf(word) {
  if (word.startsWith("!") && word.length > 1) {
    const test = testOf(word.slice(1));
    return (event) => !test(event);
  }
  const longer = /^>(\d+(?:\.\d+)?)(ns|us|µs|ms|s)$/.exec(word);
  if (longer) return (event) => endOf(event) - startOf(event) > longer[1] * LENGTHS[longer[2]];
  const [, field, text] = /^(?:(call|path|pid|tid|errno):)?(.*)$/s.exec(word);
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  const whole = new RegExp(`(^|[^0-9a-z_.])${text.replace(/[^\w]/g, "\\$&")}([^0-9a-z_.]|$)`);
  const has = (string) => Number.isNaN(number) ? string.toLowerCase().includes(text) : whole.test(string.toLowerCase());
  const names = DATA.names.map(([name]) => name.includes(text));
  const named = (event) => isCall(event) ? names[CALLS.name[event]] : has(nameOf(event));
  const ofTask = (event) => [trackOf(event).pid, trackOf(event).tid].includes(number);
  const errnos = tableOf((string) => string.toLowerCase() === text);
  const wrong = (event) => isCall(event) && CALLS.errno[event] >= 0 && errnos[CALLS.errno[event]] === 1;
  const strings = tableOf(has);
  const told = (event) => isCall(event)
    ? CALLS.args[event].some((at) => strings[at]) || strings[CALLS.result[event]] === 1
    : has(markOf(event).text);
  switch (field) {
    case "call": return named;
    case "pid": case "tid": return ofTask;
    case "errno": return wrong;
    case "path": {
      const paths = tableOf((string) => /["</]/.test(string) && string.toLowerCase().includes(text));
      return (event) => isCall(event) ? CALLS.args[event].some((at) => paths[at]) : has(nameOf(event));
    }
    default: return (event) => named(event) || ofTask(event) || wrong(event) || told(event);
  }
}

function runSearch(words) {
  search.words = words.trim().toLowerCase();
  search.active = search.words !== "";
  search.list = [];
  search.at = NONE;
  const tests = search.active ? search.words.split(/\s+/).map(testOf) : [];
  for (let event = 0; event < EVENTS; event++) {
    const hit = search.active && tests.every((test) => test(event));
    search.found[event] = hit ? 1 : 0;
    if (hit) search.list.push(event);
  }
  search.list.sort((a, b) => startOf(a) - startOf(b) || a - b);
  showHits();
  markStatistics();
  redraw();
}

// The next hit from the selected event on, or from where the view begins.
function step(forward) {
  const { list } = search;
  if (!list.length) return;
  if (search.at === NONE) {
    const from = state.selected === NONE ? view.start : startOf(state.selected);
    const next = firstWhere(list, (event) => startOf(event) >= from);
    search.at = forward ? next % list.length : (next - 1 + list.length) % list.length;
  } else {
    search.at = (search.at + (forward ? 1 : -1) + list.length) % list.length;
  }
  select(list[search.at]);
  reveal(list[search.at]);
  showHits();
}

function showHits() {
  const { active, list, at } = search;
  hits.classList.toggle("none", active && !list.length);
  hits.textContent = !active ? "" : !list.length ? "no hits" : at === NONE ? `${grouped(list.length)} hits` : `${grouped(at + 1)} / ${grouped(list.length)}`;
}

function searchFor(words) {
  query.value = words;
  runSearch(words);
}

let soon = 0;
query.addEventListener("input", () => {
  clearTimeout(soon);
  soon = setTimeout(() => runSearch(query.value), EVENTS > 20000 ? 120 : 0);
});
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  if (query.value.trim().toLowerCase() !== search.words) runSearch(query.value);
  step(true);
});
document.getElementById("next").addEventListener("click", () => step(true));
document.getElementById("previous").addEventListener("click", () => step(false));
