//! Takes out of a trace what differs between any two runs of the same program.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// The lines of each task, in the order in which the tasks were made.
pub fn tasks(trace: &str) -> Vec<Vec<String>> {
    let mut tasks: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let prefix = Regex::new(r"^(\d+) +").unwrap();
    for line in trace.lines() {
        let (pid, text) = match prefix.captures(line) {
            Some(found) => (found[1].parse().unwrap(), &line[found[0].len()..]),
            None => (0, line),
        };
        tasks.entry(pid).or_default().push(text.to_owned());
    }
    tasks
        .into_values()
        .map(|lines| collapse(join(lines).iter().map(|line| plain(line))))
        .collect()
}

/// Puts calls together again that other tasks' lines have cut in two.
fn join(lines: Vec<String>) -> Vec<String> {
    const CUT: &str = " <unfinished ...>";
    let resumed = Regex::new(r"^<\.\.\. \w+ resumed>").unwrap();
    let mut joined: Vec<String> = Vec::new();
    for line in lines {
        match (joined.last_mut(), resumed.find(&line)) {
            (Some(first), Some(mark)) if first.ends_with(CUT) => {
                first.truncate(first.len() - CUT.len());
                first.push_str(&line[mark.end()..]);
            }
            _ => joined.push(line),
        }
    }
    joined
}

/// What differs between runs, and the words that stand for it.
const RULES: [(&str, &str); 21] = [
    (r"^((\[ *\d+\] )?)\[[0-9a-f]{16}\]", "$1[IP]"),
    (r"_(n|u)?sec=\d+", "_${1}sec=N"),
    (
        r"([ds]t?x?_(ino|off|blocks|mnt_id|nlink)|ru_\w+)=[0-9a-fx]+",
        "$1=N",
    ),
    (r"(pipe|socket|STREAM|DGRAM):\[\d+", "$1:[N"),
    (r"(STREAM:\[N)->\d+", "$1"),
    (r"/proc/\d+/", "/proc/PID/"),
    (r"^read\(3[,<].*, 1024\).*", "read(3, MAPS)"),
    (r"0x[0-9a-f]{6,16}", "ADDRESS"),
    (
        r#"^((?:\[.*?\] )*getrandom\()"[^"]*"(\.\.\.)?"#,
        "${1}RANDOM",
    ),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+\+0000", "DATE"),
    (r"\b1[78]\d{8}\b", "SECONDS"),
    (r"si_(pid|utime|stime)=\d+", "si_$1=N"),
    (r"(parent_tid=)\[\d+\]", "$1[PID]"),
    (
        r"^((?:\[.*?\] )*(clone|fork|vfork|wait4|get[pst]id|getppid|set_tid_address|getpgid|setsid|times|rt_sigreturn)\(.*= )\d+$",
        "${1}PID",
    ),
    (
        r"^((?:\[.*?\] )*(wait4|kill|tkill|rt_sigqueueinfo|sched_getaffinity)\()\d{2,}",
        "${1}PID",
    ),
    (r"^(tgkill\()\d+, \d+", "${1}PID, PID"),
    (r"^(waitid\(P_PID, )\d+", "${1}PID"),
    (r"htons\(\d+\)", "PORT"),
    (r"f_(blocks|bfree|bavail|files|ffree)=\d+", "f_$1=N"),
    (r"in pid \d+", "in pid PID"),
    (r" +(= )", " $1"),
];

fn plain(line: &str) -> String {
    static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        RULES
            .map(|(rule, word)| (Regex::new(rule).unwrap(), word))
            .into()
    });
    COMPILED
        .iter()
        .fold(line.trim_end().to_owned(), |line, (rule, word)| {
            rule.replace_all(&line, *word).into_owned()
        })
}

/// When a pipe is filled and when a child's end is noticed is a matter of chance: a run of
/// reads of standard input counts once, and the signals of children not at all, nor the
/// calls they made start again.
fn collapse(lines: impl Iterator<Item = String>) -> Vec<String> {
    let read = Regex::new(r"^read\(0, .* = [1-9]\d*$").unwrap();
    let mut collapsed: Vec<String> = Vec::new();
    for line in lines {
        let of_child = ["--- SIGCHLD", "rt_sigreturn({mask=[]}) = "];
        if of_child.iter().any(|mark| line.starts_with(mark)) || line.contains("? ERESTARTNOINTR") {
            continue;
        }
        let line = if read.is_match(&line) {
            "read(0)".to_owned()
        } else {
            line
        };
        if collapsed.last() != Some(&line) || line != "read(0)" {
            collapsed.push(line);
        }
    }
    collapsed
}
