//! What fs offers beyond files, by C programs whose output is Linux's.

use super::machine::{Case, case};

/// Every case.
pub fn cases() -> Vec<Case> {
    vec![
        Case {
            programs: &["events"],
            stdout: include_bytes!("../../../tests/machine/events.out").to_vec(),
            ..case("event_loops_find_what_they_use", &["{dir}/events"])
        },
        Case {
            programs: &["terminals"],
            stdout: include_bytes!("../../../tests/machine/terminals.out").to_vec(),
            ..case("pseudo_terminals_are_terminals", &["{dir}/terminals"])
        },
    ]
}
