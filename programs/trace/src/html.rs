//! A trace as one page that needs nothing else: the timeline to zoom and search.
//!
//! The page's parts are in `page/`; here its data is put together. A string that occurs
//! often, as most do, is in the page once, which also makes the search fast.

use std::collections::HashMap;

use serde::Serialize;

use crate::class;
use crate::record::{Call, Record, What, in_order};
use crate::tasks::tasks;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// In the order in which they need each other.
const SCRIPTS: [&str; 10] = [
    include_str!("page/data.js"),
    include_str!("page/format.js"),
    include_str!("page/view.js"),
    include_str!("page/theme.js"),
    include_str!("page/draw.js"),
    include_str!("page/overview.js"),
    include_str!("page/search.js"),
    include_str!("page/details.js"),
    include_str!("page/statistics.js"),
    include_str!("page/input.js"),
];

/// The page.
pub fn page(records: &[Record]) -> String {
    let data = Data::of(records);
    let title = match data.command.join(" ") {
        command if command.is_empty() => "trace".to_owned(),
        command => command,
    };
    // Nothing that is traced shall be taken for a mark.
    let (before, behind) = PAGE
        .split_once("{{data}}")
        .expect("the page has a place for it");
    let before = before
        .replace("{{style}}", STYLE)
        .replace("{{title}}", &escape(&title));
    let behind = behind.replace("{{script}}", &SCRIPTS.concat());
    before + &in_script(&data) + &behind
}

/// The data as the page has it: columns, and indices into its tables.
#[derive(Debug, Default, Serialize)]
struct Data {
    command: Vec<String>,
    tasks: Vec<TaskRow>,
    /// The names of the calls that occur, each with its category.
    names: Vec<(String, &'static str)>,
    strings: Vec<String>,
    calls: Calls,
    marks: Vec<Mark>,
    forks: Vec<Fork>,
}

#[derive(Debug, Serialize)]
struct TaskRow {
    pid: i32,
    tid: i32,
    program: String,
    first: u64,
    last: u64,
}

/// One column per field.
#[derive(Debug, Default, Serialize)]
struct Calls {
    task: Vec<usize>,
    name: Vec<usize>,
    time: Vec<u64>,
    duration: Vec<u64>,
    args: Vec<Vec<usize>>,
    result: Vec<usize>,
    /// The error's name; -1 where there is none.
    errno: Vec<i64>,
    /// Bit 0: it did not come back. Bit 1: its result was injected.
    flags: Vec<u8>,
}

/// Something that happened at a moment.
#[derive(Debug, Serialize)]
struct Mark {
    task: usize,
    time: u64,
    kind: &'static str,
    title: String,
    text: String,
}

/// Task `from` made task `to`.
#[derive(Debug, Serialize)]
struct Fork {
    time: u64,
    from: usize,
    to: usize,
}

/// A table of strings, each once.
#[derive(Default)]
struct Table {
    index: HashMap<String, usize>,
    strings: Vec<String>,
}

impl Table {
    fn of(&mut self, text: &str) -> usize {
        if let Some(&at) = self.index.get(text) {
            return at;
        }
        self.index.insert(text.to_owned(), self.strings.len());
        self.strings.push(text.to_owned());
        self.strings.len() - 1
    }
}

impl Data {
    fn of(records: &[Record]) -> Data {
        let mut data = Data::default();
        let mut rows = HashMap::new();
        for task in tasks(records) {
            rows.insert(task.tid, data.tasks.len());
            data.tasks.push(TaskRow {
                pid: task.pid,
                tid: task.tid,
                program: task.program,
                first: task.first,
                last: task.last,
            });
        }
        let (mut names, mut strings) = (Table::default(), Table::default());
        for record in in_order(records) {
            let row = rows[&record.tid];
            match &record.what {
                What::Trace { command, .. } => data.command = command.clone(),
                What::Call(call) => {
                    data.calls
                        .push(row, record.time, call, &mut names, &mut strings);
                }
                What::Fork { child, .. } => data.forks.push(Fork {
                    time: record.time,
                    from: row,
                    to: rows[child],
                }),
                what => data.marks.extend(mark(row, record.time, what)),
            }
        }
        data.names = names
            .strings
            .into_iter()
            .map(|name| {
                let category = class::category(&name);
                (name, category)
            })
            .collect();
        data.strings = strings.strings;
        data
    }
}

impl Calls {
    fn push(&mut self, row: usize, time: u64, call: &Call, names: &mut Table, strings: &mut Table) {
        self.task.push(row);
        self.name.push(names.of(&call.call));
        self.time.push(time);
        self.duration.push(call.duration);
        self.args
            .push(call.args.iter().map(|arg| strings.of(arg)).collect());
        self.result.push(strings.of(&call.result));
        let errno = call.errno.as_deref().map(|errno| strings.of(errno) as i64);
        self.errno.push(errno.unwrap_or(-1));
        self.flags
            .push(u8::from(call.ret.is_none()) | u8::from(call.injected) << 1);
    }
}

fn mark(task: usize, time: u64, what: &What) -> Option<Mark> {
    let (kind, title, text) = match what {
        What::Signal { signal, info } => ("signal", signal.clone(), info.clone()),
        What::Stop { signal } => ("stop", format!("stopped by {signal}"), String::new()),
        What::Exec { path, name, former } => {
            let former = former.map(|tid| format!("called by task {tid}"));
            let path = path.as_deref().unwrap_or("?");
            let name = name.as_ref().map(|name| format!("as {name}"));
            let text: Vec<String> = name.into_iter().chain(former).collect();
            ("exec", format!("exec {path}"), text.join(", "))
        }
        What::Exit {
            status: Some(status),
            ..
        } => ("exit", format!("exited with {status}"), String::new()),
        What::Exit { signal, core, .. } => {
            let signal = signal.as_deref().unwrap_or("?");
            let core = if *core { "core dumped" } else { "" };
            ("killed", format!("killed by {signal}"), core.to_owned())
        }
        What::Detach => ("exit", "detached".to_owned(), String::new()),
        What::Trace { .. } | What::Call(_) | What::Fork { .. } => return None,
    };
    Some(Mark {
        task,
        time,
        kind,
        title,
        text,
    })
}

/// JSON that no sequence of ends the script it stands in.
fn in_script(data: &Data) -> String {
    serde_json::to_string(data)
        .expect("numbers and strings are JSON")
        .replace('<', "\\u003c")
}

fn escape(text: &str) -> String {
    const SPECIAL: [(char, &str); 3] = [('&', "&amp;"), ('<', "&lt;"), ('"', "&quot;")];
    SPECIAL
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(*from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_data_has_every_string_once() {
        let data = Data::of(&sample::pipeline());
        insta::assert_snapshot!(serde_json::to_string_pretty(&data).unwrap());
    }

    #[test]
    fn nothing_that_is_traced_ends_the_script() {
        let page = page(&sample::pipeline());
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(page.contains("\\u003c/script>"));
    }

    #[test]
    fn the_page_refers_to_nothing_outside() {
        let page = page(&sample::pipeline());
        for word in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(!page.contains("{{"));
    }
}
