//! Scenarios of one program that ends well under every seed.

use crate::asm::{Entry, exited};
use crate::{Boot, Prog, World, under_seeds};

/// The first process does `body` and exits with status 0; nothing is left. `/bin/seven` is a
/// program that exits with 7.
pub fn scenario(seeds: u64, body: impl Fn(&mut Prog)) {
    run(seeds, Entry::SystemCall, &body);
}

/// The same by messages: what engines of programs need.
pub fn engine_scenario(seeds: u64, body: impl Fn(&mut Prog)) {
    run(seeds, Entry::Message, &body);
}

/// The same by both ways to the tracer.
pub fn tracing_scenario(seeds: u64, body: impl Fn(&mut Prog)) {
    for entry in Entry::ALL {
        run(seeds, entry, &body);
    }
}

fn run(seeds: u64, entry: Entry, body: &impl Fn(&mut Prog)) {
    let first = Prog::tracing(entry, body);
    let boot = Boot::new(vec![("first", first), ("seven", Prog::of(|p| p.exit(7)))]);
    under_seeds(seeds, |seed| {
        let mut world = World::new(&boot, seed);
        assert_eq!(world.run_to_the_end(), exited(0));
    });
}
