//! How a task resumes, decided by all its engines (utrace rule 2).

use super::State;
use abi::tracer::Step;

/// What one engine wants of the task; the smallest over all engines wins. INTERRUPT and REPORT
/// ask for a stop that has not happened yet, so for a task that stands still they mean STOP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResumeAction {
    /// It stays stopped.
    Stop,
    /// It is interrupted, then stops.
    Interrupt,
    /// It stops at the next chance.
    Report,
    /// It runs one instruction.
    SingleStep,
    /// It runs to the next jump.
    BlockStep,
    /// It runs.
    Resume,
}

impl ResumeAction {
    /// The action that an engine's state bits ask for.
    pub fn of(state: State) -> ResumeAction {
        if state.contains(State::QUIESCE) {
            ResumeAction::Stop
        } else if state.contains(State::SINGLESTEP) {
            ResumeAction::SingleStep
        } else if state.contains(State::BLOCKSTEP) {
            ResumeAction::BlockStep
        } else {
            ResumeAction::Resume
        }
    }

    /// The action of a task whose engines have these states.
    pub fn of_all(states: impl IntoIterator<Item = State>) -> ResumeAction {
        states
            .into_iter()
            .map(ResumeAction::of)
            .min()
            .unwrap_or(ResumeAction::Resume)
    }

    /// Whether the task stays stopped.
    pub fn stops(self) -> bool {
        self <= ResumeAction::Report
    }

    /// How the task runs if it does. The machine has no block steps; a block step runs as a
    /// single step, which stops no later. Requests for one are refused before they get here.
    pub fn step(self) -> Step {
        match self {
            ResumeAction::SingleStep | ResumeAction::BlockStep => Step::Single,
            _ => Step::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// utrace's first API: the OR of all state bits.
    fn by_bits(states: &[State]) -> ResumeAction {
        let all = states.iter().fold(State::empty(), |all, s| all | *s);
        if all.contains(State::QUIESCE) {
            ResumeAction::Stop
        } else if all.contains(State::SINGLESTEP) {
            ResumeAction::SingleStep
        } else if all.contains(State::BLOCKSTEP) {
            ResumeAction::BlockStep
        } else {
            ResumeAction::Resume
        }
    }

    #[test]
    fn the_or_of_state_bits_and_the_smallest_action_are_the_same() {
        let mut seed = 1u64;
        for _ in 0..20_000 {
            let mut states = Vec::new();
            for _ in 0..seed >> 20 & 7 {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                states.push(State::from_bits_truncate((seed >> 33) as u32));
            }
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(99);
            let min = ResumeAction::of_all(states.iter().copied());
            assert_eq!(min, by_bits(&states), "{states:?}");
        }
    }

    #[test]
    fn actions_are_ordered_from_stop_to_resume() {
        use ResumeAction::*;
        let order = [Stop, Interrupt, Report, SingleStep, BlockStep, Resume];
        assert!(order.is_sorted());
        assert_eq!(
            order.map(ResumeAction::stops),
            [true, true, true, false, false, false]
        );
    }
}
