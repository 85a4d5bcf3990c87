// How often each call was made and how long it took: in the whole trace, or in the range that is measured.

const statistics = document.getElementById("statistics");
const COLUMNS = [
  ["call", (row) => row.name], ["calls", (row) => row.calls], ["failed", (row) => row.failed],
  ["time", (row) => row.time], ["longest", (row) => row.longest],
];
const order = { column: 3, down: true };

function totals() {
  const [start, end] = state.range ?? [-Infinity, Infinity], rows = new Map();
  for (let call = 0; call < COUNT; call++) {
    if (CALLS.time[call] > end || CALLS.time[call] + CALLS.duration[call] < start) continue;
    const number = CALLS.name[call];
    if (!rows.has(number)) rows.set(number, { name: DATA.names[number][0], category: DATA.names[number][1], calls: 0, failed: 0, time: 0, longest: 0 });
    const row = rows.get(number), took = CALLS.duration[call];
    row.calls++;
    if (failed(call)) row.failed++;
    row.time += took;
    row.longest = Math.max(row.longest, took);
  }
  return [...rows.values()];
}

function showStatistics() {
  const rows = totals(), value = COLUMNS[order.column][1], most = Math.max(1, ...rows.map((row) => row.time));
  rows.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : a.name < b.name ? -1 : 1) * (order.down ? -1 : 1));
  const head = element("tr", {}, ...COLUMNS.map(([title], at) => element("th", {
    class: at === order.column ? "sorted" : "", onclick: () => sortBy(at),
  }, at === order.column ? `${title} ${order.down ? "↓" : "↑"}` : title)));
  const body = rows.map((row) => element("tr", { "data-name": row.name, style: `--swatch: var(--${row.category})`, onclick: () => toggle(row.name) },
    element("td", { title: row.name }, row.name), element("td", {}, grouped(row.calls)),
    element("td", { class: row.failed ? "bad" : "" }, row.failed ? grouped(row.failed) : "–"),
    element("td", { class: "share", style: `--share: ${row.time / most}` }, duration(row.time)), element("td", {}, duration(row.longest))));
  statistics.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
  markStatistics();
}

function sortBy(column) {
  order.down = column === order.column ? !order.down : column !== 0;
  order.column = column;
  showStatistics();
}

function toggle(name) {
  searchFor(search.words === `call:${name}` ? "" : `call:${name}`);
}

function markStatistics() {
  for (const row of statistics.querySelectorAll("tbody tr")) row.classList.toggle("chosen", search.words === `call:${row.dataset.name}`);
}

function showSummary() {
  const bad = CALLS.errno.filter((errno) => errno >= 0).length, tasks = DATA.tasks.length;
  const part = (number, one, many) => [element("b", {}, grouped(number)), ` ${number === 1 ? one : many} · `];
  document.getElementById("summary").append(...part(COUNT, "call", "calls"), ...part(tasks, "task", "tasks"),
    element("b", { class: bad ? "bad" : "" }, grouped(bad)), " failed · ", element("b", {}, duration(LAST)));
  document.getElementById("legend").append(...CATEGORIES.filter((category) => DATA.names.some(([, its]) => its === category))
    .map((category) => element("span", { style: `--swatch: var(--${category})` }, TITLES[category])));
}
