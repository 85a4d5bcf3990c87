//! The tasks of a trace, as far as its records tell.

use std::collections::BTreeMap;

use crate::record::{Record, What, in_order};

/// A task of a trace, as far as the records tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its process.
    pub pid: i32,
    /// Its id.
    pub tid: i32,
    /// The last program it ran, by its file's name.
    pub program: String,
    /// When it was first heard of.
    pub first: u64,
    /// When it was last heard of.
    pub last: u64,
}

/// Every task of a trace, in the order in which they came into being. An id that was used twice is one task.
pub fn tasks(records: &[Record]) -> Vec<Task> {
    let mut tasks: BTreeMap<i32, Task> = BTreeMap::new();
    let mut order = Vec::new();
    for record in in_order(records) {
        note(
            &mut tasks,
            &mut order,
            record.pid,
            record.tid,
            record.time,
            None,
        );
        let task = tasks.get_mut(&record.tid).expect("it was noted");
        task.last = task.last.max(record.end());
        match &record.what {
            What::Trace { command, .. } => {
                if let Some(program) = command.first() {
                    task.program = file_name(program);
                }
            }
            What::Exec { path, name, .. } => {
                // Where a program runs itself its path is /proc/self/exe.
                if let Some(name) = name.as_deref().or(path.as_deref()) {
                    task.program = file_name(name);
                }
            }
            What::Fork {
                child, child_pid, ..
            } => {
                let program = task.program.clone();
                note(
                    &mut tasks,
                    &mut order,
                    *child_pid,
                    *child,
                    record.time,
                    Some(program),
                );
            }
            _ => {}
        }
    }
    let programs: BTreeMap<i32, String> = tasks
        .values()
        .filter(|task| !task.program.is_empty())
        .map(|task| (task.pid, task.program.clone()))
        .collect();
    for task in tasks.values_mut().filter(|task| task.program.is_empty()) {
        // A task that was attached to runs what its process runs.
        task.program = programs
            .get(&task.pid)
            .cloned()
            .unwrap_or_else(|| "?".to_owned());
    }
    order.iter().filter_map(|tid| tasks.remove(tid)).collect()
}

fn note(
    tasks: &mut BTreeMap<i32, Task>,
    order: &mut Vec<i32>,
    pid: i32,
    tid: i32,
    time: u64,
    program: Option<String>,
) {
    let task = tasks.entry(tid).or_insert_with(|| {
        order.push(tid);
        Task {
            pid,
            tid,
            program: String::new(),
            first: time,
            last: time,
        }
    });
    if let Some(program) = program.filter(|_| task.program.is_empty()) {
        task.program = program;
    }
}

fn file_name(path: &str) -> String {
    // A login shell has a dash in front of its name.
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn tasks_inherit_the_program_they_were_forked_from() {
        let tasks = tasks(&sample::pipeline());
        let names: Vec<(i32, i32, &str)> = tasks
            .iter()
            .map(|task| (task.pid, task.tid, task.program.as_str()))
            .collect();
        assert_eq!(names, [(2, 2, "sh"), (3, 3, "sort"), (2, 4, "sh")]);
    }
}
