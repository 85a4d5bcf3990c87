//! Seeds: where a run's choices come from, and running a scenario under many of them.

use std::io::Write;

/// The variable that names the only seed to run, and has its events printed.
const SEED: &str = "STILLPOINT_SEED";
/// The variable that multiplies how many seeds are run, and adds larger worlds to those explored.
const EFFORT: &str = "STILLPOINT_EFFORT";

/// A sequence of choices (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end.max(1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

/// The seed that is asked for, if one is.
pub fn replayed() -> Option<u64> {
    std::env::var(SEED).ok()?.parse().ok()
}

/// How many times as much as usual is to be run.
pub fn effort() -> u64 {
    let effort = std::env::var(EFFORT).ok();
    effort.and_then(|e| e.parse().ok()).unwrap_or(1)
}

/// Says how much was covered: past the test runner, which shows only what failing tests print.
pub fn say(line: &str) {
    // Nobody is left to tell if it cannot be said.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs a scenario under `count` seeds, or under the one that is being replayed. A panic names
/// its seed.
pub fn under_seeds(count: u64, scenario: impl Fn(u64)) {
    if let Some(seed) = replayed() {
        return scenario(seed);
    }
    for seed in 0..count * effort() {
        let named = Named(seed);
        scenario(seed);
        drop(named);
    }
}

/// Says on the way of a panic which seed it was.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "this was seed {}: cargo xtask test --seed {}",
                self.0, self.0
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_choices_again() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            [random.bits(), random.below(10), random.bits()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
