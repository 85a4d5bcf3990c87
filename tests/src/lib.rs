//! A deterministic world: all servers and a simulated machine in one process of the host.
//!
//! The server libraries are the very ones that run on the kernel. They are driven by nothing but
//! encoded messages, traps and timers; which of the things that could happen next does happen is
//! the choice of a scheduler with a seed, and it is asked at every message boundary. So a run is
//! a function of scenario and seed, and a failure is replayed from its seed:
//! `cargo xtask test --seed N`.
//!
//! - [`sim`]: the machine. Frames, spaces, threads, and a processor that runs x86-64 code.
//! - [`World`]: the machine with the process manager, the file server and the tracer on it.
//! - [`asm`]: test programs, assembled into ELF files in a boot archive.
//! - [`invariants`]: what holds between any two steps.
//! - [`explore`]: all the runs of a small world.
//! - [`schedule`]: seeds, and running a scenario under many of them.
#![forbid(unsafe_code)]

pub mod asm;
pub mod boot;
pub mod elf;
pub mod explore;
pub mod garbage;
pub mod hand;
pub mod invariants;
pub mod scenario;
pub mod schedule;
pub mod sim;
pub mod world;

pub use asm::{Prog, Val, Var};
pub use boot::Boot;
pub use hand::Hand;
pub use scenario::{engine_scenario, scenario, tracing_scenario};
pub use schedule::{Random, under_seeds};
pub use world::World;
