//! Traces that nobody has made, the same every time.

use trace::record::{Call, Record, VERSION, What};

/// Makes up a trace, call by call.
struct Script {
    records: Vec<Record>,
    now: u64,
}

impl Script {
    fn push(&mut self, time: u64, task: (i32, i32), what: What) {
        let (pid, tid) = task;
        self.records.push(Record {
            time,
            pid,
            tid,
            what,
        });
    }

    fn call(&mut self, task: (i32, i32), name: &str, args: &[&str], result: &str, duration: u64) {
        let errno = result
            .strip_prefix("-1 ")
            .and_then(|rest| rest.split(' ').next());
        let what = What::Call(Call {
            call: name.to_owned(),
            number: 0,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            ret: Some(0),
            errno: errno.map(str::to_owned),
            result: result.to_owned(),
            duration,
            injected: false,
        });
        self.push(self.now, task, what);
        self.now += duration + 900;
    }

    fn mark(&mut self, task: (i32, i32), what: What) {
        self.push(self.now, task, what);
    }
}

fn exec(path: &str) -> What {
    What::Exec {
        path: Some(path.to_owned()),
        name: None,
        former: None,
    }
}

fn begun(command: &[&str]) -> What {
    What::Trace {
        version: VERSION,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// A shell that runs four compilers, one after the other: as a person would see it, but the same every time.
pub fn script() -> Vec<Record> {
    let mut script = Script {
        records: Vec::new(),
        now: 0,
    };
    let shell = (100, 100);
    script.mark(shell, begun(&["sh", "-c", "make"]));
    script.mark(shell, exec("/bin/sh"));
    script.call(
        shell,
        "execve",
        &[
            "\"/bin/sh\"",
            "[\"sh\", \"-c\", \"make\"]",
            "0x7ffd /* 4 vars */",
        ],
        "0",
        90_000,
    );
    script.call(shell, "brk", &["NULL"], "0x5ec000", 3_000);
    for number in 1..=4 {
        let compiler = (100 + number, 100 + number);
        let made = What::Fork {
            call: Some("clone".to_owned()),
            child: compiler.1,
            child_pid: compiler.0,
        };
        script.push(script.now + 20_000, shell, made);
        let id = compiler.1.to_string();
        script.call(
            shell,
            "clone",
            &["child_stack=NULL", "flags=CLONE_CHILD_SETTID|SIGCHLD"],
            &id,
            40_000,
        );
        let waiting = script.now;
        script.now += 12_000;
        script.mark(compiler, exec("/usr/bin/cc"));
        script.call(
            compiler,
            "execve",
            &[
                "\"/usr/bin/cc\"",
                "[\"cc\", \"-c\", \"main.c\"]",
                "0x7ffd /* 4 vars */",
            ],
            "0",
            80_000,
        );
        for at in 0..40u64 {
            script.call(
                compiler,
                "mmap",
                &["NULL", "4096", "PROT_READ", "MAP_PRIVATE", "3", "0"],
                "0x7f0000",
                2_000 + at * 40,
            );
            script.call(
                compiler,
                "read",
                &["3", "\"#include <stdio.h>\\n\"", "4096"],
                "4096",
                4_000 + at % 7 * 900,
            );
            if at % 8 == 0 {
                let header = "\"/usr/include/stdio.h\"";
                script.call(
                    compiler,
                    "openat",
                    &["AT_FDCWD", header, "O_RDONLY"],
                    "-1 ENOENT (No such file or directory)",
                    5_000,
                );
            }
            if at % 4 == 1 {
                script.call(compiler, "write", &["4", "\"\\177ELF\"", "64"], "64", 7_000);
            }
            if at % 13 == 0 {
                script.call(
                    compiler,
                    "rt_sigaction",
                    &["SIGINT", "NULL", "NULL", "8"],
                    "0",
                    1_500,
                );
            }
        }
        script.call(
            compiler,
            "openat",
            &["AT_FDCWD", "\"main.c\"", "O_RDONLY"],
            "3",
            6_000,
        );
        script.call(
            compiler,
            "nanosleep",
            &["{tv_sec=0, tv_nsec=90000}", "NULL"],
            "0",
            90_000,
        );
        script.call(compiler, "exit_group", &["0"], "?", 8_000);
        let ended = What::Exit {
            status: Some(0),
            signal: None,
            core: false,
        };
        script.mark(compiler, ended);
        let now = std::mem::replace(&mut script.now, waiting);
        script.call(
            shell,
            "wait4",
            &["-1", "[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]", "0", "NULL"],
            &id,
            now - waiting,
        );
        let signal = What::Signal {
            signal: "SIGCHLD".to_owned(),
            info: format!("{{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid={id}, si_status=0}}"),
        };
        script.mark(shell, signal);
        script.now += 4_000;
    }
    script.call(shell, "exit_group", &["0"], "?", 8_000);
    script.records
}

/// So many calls of forty tasks.
pub fn many(count: u64) -> Vec<Record> {
    const NAMES: [&str; 6] = ["read", "write", "openat", "mmap", "futex", "recvfrom"];
    let mut script = Script {
        records: Vec::new(),
        now: 0,
    };
    script.mark((1, 1), begun(&["server"]));
    for at in 0..count {
        let tid = 1 + (at % 40) as i32;
        let task = (if tid <= 8 { tid } else { 8 }, tid);
        let name = NAMES[(at * at / 7 % 6) as usize];
        let path = format!("\"/usr/lib/lib{}.so\"", at * 7919 % 5000);
        let result = if at % 97 == 0 {
            "-1 ENOENT (No such file or directory)"
        } else {
            "0"
        };
        script.call(
            task,
            name,
            &[&path, "O_RDONLY"],
            result,
            300 + at * 31 % 4000,
        );
        script.now -= 600;
    }
    script.records
}
