//! What is taken out of strace's output before it is compared: what differs between any two runs, or between any two machines.
//! `tests/strace/README.md` has the reason of each rule.

use std::collections::BTreeMap;

use regex_lite::{Captures, Regex};

use super::Run;
use super::regions::{Regions, length, number};

/// Takes one program's traces, by process, apart from everything that may differ.
pub struct Filter {
    rules: Vec<(Regex, &'static str)>,
    address: Regex,
    mapped: Regex,
    left_out: Regex,
    rest: Regex,
    anybody: Regex,
    pid: Regex,
    pid_result: Regex,
}

/// What is replaced wherever it stands. Of two rules the first sees the line first.
const RULES: &[(&str, &str)] = &[
    // What the random number generator says, and names made of it.
    (
        r#"^(getrandom\()"(?:[^"\\]|\\.)*"(?:\.\.\.)?"#,
        r#"$1"RANDOM""#,
    ),
    (r"\bsed[A-Za-z0-9]{6}\b", "sedRANDOM"),
    // Times: of clocks, of files that the programs make, of processors.
    (
        r"^((?:clock_gettime|gettimeofday)\(.*)\{tv_sec=[^}]*\}",
        "$1{TIME}",
    ),
    (r"^time\(NULL\) += .*", "time(NULL) = TIME"),
    (r"\{tv_sec=\d{9,}, tv_nsec=\d+\}", "{TIME}"),
    (r"(ru_[us]time)=\{[^}]*\}", "$1={TIME}"),
    (r"(si_[us]time)=\d+", "$1=TIME"),
    // How large the computer is, and what else runs.
    (r"^(sysinfo\()\{.*\}", "$1{SYSTEM}"),
    // What file system there is at the root, and which ones there are.
    (r"^(f?statfs\(.*)\{f_type=.*\}", "$1{FILE SYSTEM}"),
    (
        r#"^(read\(.*)"nodev\\t.*"\.\.\., (\d+)\) += \d+"#,
        r#"$1"FILE SYSTEMS", $2) = SIZE"#,
    ),
    // How long /proc/self/maps is, with its inode numbers and the machine's own page.
    (
        r#"^(read\(.*"[0-9a-f]{12}-[0-9a-f]{12} .*"\.\.\., \d+\)) += \d+"#,
        "$1 = SIZE",
    ),
    // The kernel's version.
    (r#"\b(release|version)="[^"]*""#, "$1=KERNEL"),
    // When a file was made here, and the number of a file system without a device.
    (r"(st_[ac]time(?:_nsec)?)=[^,}]*", "$1=TIME"),
    (
        r"st_dev=(?:0x\w+ /\* )?makedev\([^)]*\)(?: \*/)?",
        "st_dev=DEVICE",
    ),
    // Inode numbers.
    (r"(st_ino|stx_ino)=\d+", "$1=INODE"),
    (
        r"(socket|pipe|UNIX|UNIX-STREAM):\[\d+(?:->\d+)?\]",
        "$1:[INODE]",
    ),
];

/// Lines that are left out: there are no restartable sequences (docs/differences.md), a call that a child's death cut short is made
/// again, and when a heap grows is a matter of the program's version.
const LEFT_OUT: &str = r"^rseq\(|^brk\(|= \? ERESTARTSYS ";

/// What stands in front of a process's number, in arguments and as a result.
const PID: &str = r"(\b(?:si_)?pid=|kill\(|tgkill\(\w+, |wait4\(|rt_sigqueueinfo\(|setpgid\(|P_PID, |FUTEX_CLOCK_REALTIME, |parent_tid=\[|/proc/)(\d+)\b";
const PID_RESULT: &str = r"^((?:v?fork|clone3?|get[pt]id|getppid|getpgrp|setsid|rt_sigreturn|set_tid_address|wait4)\(.* = )(\d+)\b";

impl Filter {
    pub fn new() -> Self {
        let regex = |pattern: &str| Regex::new(pattern).expect("the pattern is right");
        Self {
            rules: RULES
                .iter()
                .map(|(pattern, with)| (regex(pattern), *with))
                .collect(),
            left_out: regex(LEFT_OUT),
            address: regex(r"0x[0-9a-f]{6,16}\b"),
            mapped: regex(r"^(?:mmap|mremap)\(.*\) += (0x[0-9a-f]+)"),
            rest: regex(r#"^(read\(\d+, "", )\d+(\) = 0)$"#),
            anybody: regex(r"(\[pid +|Process |\bsi_pid=|kill\(|^\[|^wait4\(.*\) = )\d+\b"),
            pid: regex(PID),
            pid_result: regex(PID_RESULT),
        }
    }

    /// The text that is compared: the status, the output, and of each process, in the order of their numbers, its filtered lines.
    pub fn text(&self, run: &Run) -> String {
        let traces = &run.traces;
        let names: BTreeMap<String, String> = (1..)
            .zip(traces.keys())
            .map(|(n, pid)| (pid.to_string(), format!("PID{n}")))
            .collect();
        let mut text = format!("status {}\n", run.status);
        for line in run.output.lines() {
            text += &self.shown(line);
            text.push('\n');
        }
        for (pid, trace) in traces {
            text += &format!("--- {}\n", names[&pid.to_string()]);
            let mut regions = Regions::default();
            let lines = trace.lines().filter(|line| !self.left_out.is_match(line));
            let lines = lines.map(|line| self.line(line, &names, &mut regions));
            let mut lines: Vec<_> = lines.collect();
            self.behind_sizes(&mut lines);
            for line in children_last(lines) {
                text += &line;
                text.push('\n');
            }
        }
        text
    }

    /// A line that a program or strace itself has shown: without numbers of processes and addresses.
    fn shown(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (rule, with) in &self.rules {
            line = rule.replace_all(&line, *with).into_owned();
        }
        let line = self.anybody.replace_all(&line, "${1}PID");
        self.address.replace_all(&line, "ADDRESS").into_owned()
    }

    /// What of a buffer is left behind something of which nobody knows the size.
    fn behind_sizes(&self, lines: &mut [String]) {
        for at in 1..lines.len() {
            if lines[at - 1].ends_with(" = SIZE") {
                lines[at] = self.rest.replace(&lines[at], "${1}REST$2").into_owned();
            }
        }
    }

    fn line(&self, line: &str, pids: &BTreeMap<String, String>, regions: &mut Regions) -> String {
        if let Some(found) = self.mapped.captures(line) {
            regions.add(number(&found[1]), length(line));
        }
        let mut line = line.to_owned();
        for (rule, with) in &self.rules {
            line = rule.replace_all(&line, *with).into_owned();
        }
        let line = self
            .address
            .replace_all(&line, |found: &Captures| regions.name(number(&found[0])));
        let named = |found: &Captures| {
            let name = pids.get(&found[2]).map_or(&found[2], String::as_str);
            format!("{}{name}", &found[1])
        };
        let mut line = line.into_owned();
        // Twice, for calls that name two processes.
        for rule in [&self.pid, &self.pid, &self.pid_result] {
            line = rule.replace_all(&line, named).into_owned();
        }
        // Who is no process of the trace is the shell that started it.
        match line.split_once("getppid()") {
            Some((_, result)) if !result.contains("PID") => "getppid() = PARENT".to_owned(),
            _ => spaced(&line),
        }
    }
}

/// When children end, and in which order, is up to the scheduler: what a process hears of them comes behind everything else, in order.
/// With the signal goes the return from its handler, whose result is that of whatever it interrupted.
fn children_last(lines: Vec<String>) -> Vec<String> {
    let (mut others, mut heard) = (Vec::new(), Vec::new());
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        let signal = line.starts_with("--- SIGCHLD ");
        if signal || line.starts_with("wait4(-1, [{") {
            heard.push(line);
        } else {
            others.push(line);
        }
        if signal
            && lines
                .peek()
                .is_some_and(|next| next.starts_with("rt_sigreturn("))
        {
            lines.next();
        }
    }
    heard.sort();
    // A signal that comes while the one before it is pending is lost.
    let awaited = heard
        .iter()
        .filter(|line| line.starts_with("wait4("))
        .count();
    heard.retain(|line| awaited < 2 || line.starts_with("wait4("));
    others.extend(heard);
    others
}

/// The result stands at a column, behind as many spaces as that takes.
fn spaced(line: &str) -> String {
    match line.rsplit_once(" = ") {
        Some((call, result)) if call.trim_end().ends_with(')') => {
            format!("{} = {result}", call.trim_end())
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filtered traces of processes 7, 8 and so on.
    fn filtered(traces: &[&str]) -> String {
        let run = Run {
            status: "0".into(),
            output: String::new(),
            traces: (7..).zip(traces.iter().map(|t| (*t).to_owned())).collect(),
        };
        Filter::new().text(&run)
    }

    #[test]
    fn addresses_are_places_in_what_was_mapped() {
        let text = filtered(&[
            "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3, 0x26000) = 0x7f0000001000\n\
             munmap(0x7f0000002000, 4096)      = 0\n\
             brk(NULL)                         = 0x55550000a000\n\
             mprotect(0x945000, 4096, PROT_READ) = 0\n",
        ]);
        assert_eq!(
            text,
            "status 0\n--- PID1\nmmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3, 0x26000) = MAP1\n\
             munmap(MAP1+0x1000, 4096) = 0\nmprotect(ADDRESS, 4096, PROT_READ) = 0\n"
        );
    }

    #[test]
    fn processes_are_named_where_their_numbers_stand() {
        let text = filtered(&[
            "clone(SIGCHLD) = 8\ntgkill(7, 8, SIGUSR1) = 0\nlseek(7, 8, SEEK_SET) = 8\n",
            "getppid() = 7\ngetppid() = 1\n",
        ]);
        assert_eq!(
            text,
            "status 0\n--- PID1\nclone(SIGCHLD) = PID2\ntgkill(PID1, PID2, SIGUSR1) = 0\nlseek(7, 8, SEEK_SET) = 8\n\
             --- PID2\ngetppid() = PID1\ngetppid() = PARENT\n"
        );
    }

    #[test]
    fn the_end_of_children_comes_last_and_in_order() {
        let text = filtered(&[
            "wait4(-1, [{WIFEXITED(s)}], 0, NULL) = 9\n\
             --- SIGCHLD {si_pid=9} ---\nrt_sigreturn({mask=[]}) = 9\n\
             read(0, x, 1) = ? ERESTARTSYS (To be restarted)\n\
             wait4(-1, [{WIFEXITED(s)}], 0, NULL) = 8\nexit_group(0) = ?\n",
            "",
            "",
        ]);
        assert_eq!(
            text,
            "status 0\n--- PID1\nexit_group(0) = ?\nwait4(-1, [{WIFEXITED(s)}], 0, NULL) = PID2\n\
             wait4(-1, [{WIFEXITED(s)}], 0, NULL) = PID3\n--- PID2\n--- PID3\n"
        );
    }
}
