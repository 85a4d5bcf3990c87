//! Servers that break: the machine ends, and everything that is known is said.

use super::machine::{Case, case};

const FAULT: &str = "Page { ip: ";
const ADDRESS: &str = "address: 123456789000, code: 4 }";
const REGISTER: &str = "rdx: 0x1122334455667788";
const PANIC: &str = "panics: panic at image/init/src/bin/panics.rs:12:5: on purpose";

/// A run with another program in the place of a server.
fn broken(
    name: &'static str,
    options: &'static [&'static str],
    stderr: &'static [&'static str],
) -> Case {
    Case {
        options,
        stderr,
        status: 125,
        ..case(name, &["/bin/true"])
    }
}

/// The three servers, each once faulting and once panicking.
pub fn cases() -> Vec<Case> {
    vec![
        broken(
            "a_fault_of_procmgr_ends_the_machine",
            &["--file", "{built}/faults:/boot/procmgr"],
            &[
                "init: procmgr has faulted: ",
                FAULT,
                ADDRESS,
                REGISTER,
                "stillpoint: procmgr: Page {",
            ],
        ),
        broken(
            "a_fault_of_the_tracer_ends_the_machine",
            &["--file", "{built}/faults:/boot/tracer"],
            &[
                "init: tracer has faulted: ",
                FAULT,
                ADDRESS,
                REGISTER,
                "stillpoint: tracer: Page {",
            ],
        ),
        broken(
            "a_fault_of_fs_ends_the_machine",
            &["--file", "{built}/faults:/boot/fs"],
            &[
                "init: fs has faulted: ",
                FAULT,
                ADDRESS,
                REGISTER,
                "stillpoint: fs: Page {",
            ],
        ),
        broken(
            "a_panic_of_procmgr_says_where",
            &["--file", "{built}/panics:/boot/procmgr"],
            &[
                PANIC,
                "init: procmgr has faulted: Exception",
                "rip: ",
                "stillpoint: procmgr: Exception",
            ],
        ),
        broken(
            "a_panic_of_the_tracer_says_where",
            &["--file", "{built}/panics:/boot/tracer"],
            &[
                PANIC,
                "init: tracer has faulted: Exception",
                "rip: ",
                "stillpoint: tracer: Exception",
            ],
        ),
        broken(
            "a_panic_of_fs_says_where",
            &["--file", "{built}/panics:/boot/fs"],
            &[
                PANIC,
                "init: fs has faulted: Exception",
                "rip: ",
                "stillpoint: fs: Exception",
            ],
        ),
    ]
}
