//! A trace as Perfetto and chrome://tracing open it: the Trace Event Format, one track per task.
//!
//! | record | event |
//! |---|---|
//! | task | metadata `M`: names and order of processes and threads |
//! | call | slice `X`, category `syscall`; arguments, result and error in `args` |
//! | signal, stop, exec, exit, detach | instant `i` on the task's track |
//! | fork | flow `s` in the parent's call, `f` at the child's first call |
//!
//! The format counts microseconds; three decimals keep the nanoseconds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::record::{Record, What, in_order};
use crate::tasks::{Task, tasks};

/// The trace as a document of the Trace Event Format, one event per line.
pub fn timeline(records: &[Record]) -> String {
    let mut events = names(&tasks(records));
    let ordered = in_order(records);
    events.extend(ordered.iter().filter_map(|record| event(record)));
    events.extend(arrows(&ordered));
    let mut text = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    for (at, event) in events.iter().enumerate() {
        text.push_str(if at > 0 { ",\n" } else { "" });
        text.push_str(&event.to_string());
    }
    text + "\n]}\n"
}

/// The names of the tracks, in the order in which their tasks came into being.
fn names(tasks: &[Task]) -> Vec<Value> {
    let mut events = Vec::new();
    let mut named = BTreeSet::new();
    for (order, task) in tasks.iter().enumerate() {
        let (pid, tid) = (task.pid, task.tid);
        let mut metadata = |name: &str, args: Value| {
            events.push(json!({"ph": "M", "name": name, "pid": pid, "tid": tid, "args": args}));
        };
        let program = &task.program;
        if named.insert(pid) {
            metadata("process_name", json!({"name": program}));
            metadata("process_sort_index", json!({"sort_index": order}));
        }
        metadata("thread_name", json!({"name": program}));
        metadata("thread_sort_index", json!({"sort_index": order}));
    }
    events
}

fn event(record: &Record) -> Option<Value> {
    let (name, args) = match &record.what {
        What::Call(call) => {
            let mut args = Map::new();
            for (at, arg) in call.args.iter().enumerate() {
                args.insert(format!("arg{}", at + 1), json!(arg));
            }
            args.insert("result".to_owned(), json!(call.result));
            if let Some(errno) = &call.errno {
                args.insert("errno".to_owned(), json!(errno));
            }
            if call.injected {
                args.insert("injected".to_owned(), json!(true));
            }
            return Some(json!({
                "ph": "X", "cat": "syscall", "name": call.call,
                "ts": microseconds(record.time), "dur": microseconds(call.duration),
                "pid": record.pid, "tid": record.tid, "args": args,
            }));
        }
        What::Signal { signal, info } => (signal.clone(), json!({"siginfo": info})),
        What::Stop { signal } => (format!("stopped by {signal}"), json!({})),
        What::Exec { path, name, former } => {
            let path = path.as_deref().unwrap_or("?");
            let mut args = json!({"path": path});
            if let Some(name) = name {
                args["name"] = json!(name);
            }
            if let Some(former) = former {
                args["former_tid"] = json!(former);
            }
            (format!("exec {path}"), args)
        }
        What::Exit {
            status: Some(status),
            ..
        } => (format!("exited with {status}"), json!({"status": status})),
        What::Exit { signal, core, .. } => {
            let signal = signal.as_deref().unwrap_or("?");
            (
                format!("killed by {signal}"),
                json!({"signal": signal, "core": core}),
            )
        }
        What::Detach => ("detached".to_owned(), json!({})),
        What::Trace { .. } | What::Fork { .. } => return None,
    };
    Some(json!({
        "ph": "i", "s": "t", "cat": category(&record.what), "name": name,
        "ts": microseconds(record.time), "pid": record.pid, "tid": record.tid, "args": args,
    }))
}

fn category(what: &What) -> &'static str {
    match what {
        What::Signal { .. } | What::Stop { .. } => "signal",
        _ => "task",
    }
}

/// An arrow needs a slice at either end, so it leads to the child's first call; a child that
/// made none gets no arrow.
fn arrows(ordered: &[&Record]) -> Vec<Value> {
    let mut first_calls: BTreeMap<i32, u64> = BTreeMap::new();
    for record in ordered {
        if let What::Call(_) = record.what {
            first_calls.entry(record.tid).or_insert(record.time);
        }
    }
    let forks = ordered.iter().filter_map(|record| match &record.what {
        What::Fork {
            child, child_pid, ..
        } => Some((record, *child, *child_pid)),
        _ => None,
    });
    let mut events = Vec::new();
    for (id, (record, child, child_pid)) in (1..).zip(forks) {
        let Some(&first) = first_calls.get(&child) else {
            continue;
        };
        events.push(json!({
            "ph": "s", "cat": "fork", "name": "fork", "id": id,
            "ts": microseconds(record.time), "pid": record.pid, "tid": record.tid,
        }));
        events.push(json!({
            "ph": "f", "bp": "e", "cat": "fork", "name": "fork", "id": id,
            "ts": microseconds(first.max(record.time)), "pid": child_pid, "tid": child,
        }));
    }
    events
}

/// A number that is printed with all the digits it has.
fn microseconds(nanoseconds: u64) -> Value {
    match nanoseconds % 1000 {
        0 => json!(nanoseconds / 1000),
        _ => json!(nanoseconds as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_trace_becomes_tracks_slices_instants_and_arrows() {
        insta::assert_snapshot!(timeline(&sample::pipeline()));
    }

    #[test]
    fn nanoseconds_are_kept() {
        assert_eq!(microseconds(1_234_567).to_string(), "1234.567");
        assert_eq!(microseconds(2_000).to_string(), "2");
        assert_eq!(
            microseconds(86_400_000_000_001).to_string(),
            "86400000000.001"
        );
    }
}
