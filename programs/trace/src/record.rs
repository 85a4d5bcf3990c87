//! What a trace consists of: one record per event, one line of JSON per record.
//!
//! Everything that is drawn from a trace ([`timeline`](crate::timeline),
//! [`html`](crate::html)) is a function of its records and of nothing else. The fields are
//! described for their readers in `docs/trace.md`.

use serde::{Deserialize, Serialize};

/// The version of the records' form. It changes when a reader of older records would
/// misunderstand newer ones; new fields and new types of records do not change it.
pub const VERSION: u32 = 1;

/// One event of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened, in nanoseconds of the monotonic clock since the trace began. For a call,
    /// when it began.
    pub time: u64,
    /// The process, by its thread group's id.
    pub pid: i32,
    /// The task.
    pub tid: i32,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. In JSON its name is the field `type`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// The trace begins. Always the first record; the task is the program's first, or the
    /// first that was attached to.
    Trace {
        /// [`VERSION`].
        version: u32,
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A system call that has come back, or never will.
    Call(Call),
    /// A signal is delivered.
    Signal {
        /// Its name.
        signal: String,
        /// Its siginfo, decoded.
        info: String,
    },
    /// Job control stops the task.
    Stop {
        /// The signal that asked for it.
        signal: String,
    },
    /// The task has made another one.
    Fork {
        /// The call that did it, if it was seen.
        call: Option<String>,
        /// The new task.
        child: i32,
        /// The new task's process: the same one for a thread.
        child_pid: i32,
    },
    /// The process runs a new program.
    Exec {
        /// The program's path, as it was asked for; unknown where the call was not seen.
        path: Option<String>,
        /// The program's name for itself, `argv[0]`.
        name: Option<String>,
        /// The id that the task had until now, where it was not the process's first task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        former: Option<i32>,
    },
    /// The task has ended.
    Exit {
        /// Its exit status, unless a signal killed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i32>,
        /// The signal that killed it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<String>,
        /// Its memory was dumped.
        #[serde(default, skip_serializing_if = "is_false")]
        core: bool,
    },
    /// The task is not traced any more.
    Detach,
}

/// A system call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its name, or `syscall_0x1ff`.
    pub call: String,
    /// Its number.
    pub number: u64,
    /// Its arguments, decoded as strace prints them.
    pub args: Vec<String>,
    /// Its result: -1 where it failed; nothing where it did not come back.
    pub ret: Option<i64>,
    /// The name of its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno: Option<String>,
    /// The result as strace prints it behind the equals sign.
    pub result: String,
    /// How long it took, in nanoseconds; until its task's end where it did not come back.
    pub duration: u64,
    /// The tracer made it fail or succeed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub injected: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Record {
    /// The record as a line, with its end.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("numbers and strings are JSON");
        line.push('\n');
        line
    }

    /// When it was over: the same moment for everything but calls.
    pub fn end(&self) -> u64 {
        match &self.what {
            What::Call(call) => self.time + call.duration,
            _ => self.time,
        }
    }
}

/// Reads records, one per line. Types that a later version may add are left out.
///
/// # Errors
/// A message with the number of the line that is no record.
pub fn read(text: &str) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(_) if is_unknown(line) => {}
            Err(error) => return Err(format!("line {}: {error}", at + 1)),
        }
    }
    Ok(records)
}

fn is_unknown(line: &str) -> bool {
    const KNOWN: [&str; 8] = [
        "trace", "call", "signal", "stop", "fork", "exec", "exit", "detach",
    ];
    let fields: Option<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(line).ok();
    fields
        .as_ref()
        .and_then(|fields| fields.get("type")?.as_str())
        .is_some_and(|name| !KNOWN.contains(&name))
}

/// The records in the order of their times. Records are written when something is over, so a
/// call comes behind what happened while it went on.
pub fn in_order(records: &[Record]) -> Vec<&Record> {
    let mut ordered: Vec<&Record> = records.iter().collect();
    ordered.sort_by_key(|record| record.time);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_record_reads_as_it_was_written() {
        let records = sample::pipeline();
        let text: String = records.iter().map(Record::line).collect();
        assert_eq!(read(&text).unwrap(), records);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_is_no_record_is_named_by_its_line() {
        let good = sample::pipeline()[0].line();
        let error = read(&format!("{good}\n{{\"time\":1}}\n")).unwrap_err();
        assert!(error.starts_with("line 3: "), "{error}");
    }

    #[test]
    fn types_that_are_not_known_are_left_out() {
        let line = r#"{"time":1,"pid":1,"tid":1,"type":"futuristic","x":2}"#;
        assert_eq!(read(line), Ok(Vec::new()));
    }
}
