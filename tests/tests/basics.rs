//! The simulated machine runs programs at all.

use world::asm::exited;
use world::{Boot, Prog, World, under_seeds};

#[test]
fn a_program_prints_and_exits() {
    let boot = Boot::new(vec![(
        "hello",
        Prog::of(|p| {
            p.print("hello\n");
            p.exit(7);
        }),
    )]);
    under_seeds(20, |seed| {
        let mut w = World::new(&boot, seed);
        assert_eq!(w.run_to_the_end(), exited(7));
        assert_eq!(w.output, b"hello\n");
    });
}

#[test]
fn a_child_is_waited_for() {
    let boot = Boot::new(vec![(
        "first",
        Prog::of(|p| {
            let child = p.var();
            p.fork(|p| p.exit(3));
            p.store(child);
            p.wait_for(child, exited(3));
        }),
    )]);
    under_seeds(200, |seed| {
        let mut w = World::new(&boot, seed);
        assert_eq!(w.run_to_the_end(), 0);
    });
}
