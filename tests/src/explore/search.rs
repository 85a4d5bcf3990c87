//! The search: depth first, each state once.

use super::{Event, Grain, State};
use crate::{Boot, invariants};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How large a small world was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explored {
    /// How many states there are.
    pub states: usize,
    /// How many steps from one to another.
    pub transitions: usize,
    /// How many steps the longest run had that was taken.
    pub depth: usize,
    /// In how many states everything is over.
    pub ends: usize,
}

/// More states than any world that is worth its time has.
const MAX_STATES: usize = 20_000_000;
/// When a state is come to again that had been there, it is checked once in so many times that what
/// follows is the same as when it was there first.
const SAMPLED_ONE_IN: usize = 32;

/// Goes through all the runs of a world from the first note of one of its programs on. A failure
/// shows the run that led to it.
pub fn explore(boot: &Boot, grain: Grain) -> Explored {
    let first = State::at_first_note(boot, grain);
    let mut search = Search::default();
    let done = catch_unwind(AssertUnwindSafe(|| search.run(first.clone())));
    if let Err(panic) = done {
        show(first, &search.path);
        resume_unwind(panic);
    }
    if let Some(stuck) = search.without_end() {
        show(first, &search.path_to(stuck));
        panic!("from there no end can be reached");
    }
    if let Some(mistaken) = search.mistaken() {
        show(first, &search.path_to(mistaken));
        panic!("another state was taken for this one");
    }
    search.explored()
}

/// The identities of what can follow a state, in order.
fn followers(state: &State) -> Vec<u64> {
    let after = |event: Event| {
        let mut next = state.clone();
        next.happen(event);
        next.identity()
    };
    let mut all: Vec<_> = state.possible().into_iter().map(after).collect();
    all.sort_unstable();
    all
}

/// Prints a run, as far as it goes.
fn show(mut state: State, path: &[Event]) {
    println!("the run, of {} steps:", path.len());
    for event in path {
        println!("  {}", state.tell(*event));
        if catch_unwind(AssertUnwindSafe(|| state.happen(*event))).is_err() {
            break;
        }
    }
    for task in state.procmgr.survey() {
        println!("{task:?}");
    }
}

/// A state on the way to the one that is being looked at.
struct Visit {
    number: u32,
    /// Gone when there is nothing left to try.
    state: Option<State>,
    left: Vec<Event>,
}

#[derive(Default)]
struct Search {
    numbers: HashMap<u64, u32>,
    /// How each state was first reached; nothing for the first.
    origins: Vec<Option<(u32, Event)>>,
    identities: Vec<u64>,
    edges: Vec<(u32, u32)>,
    ends: Vec<u32>,
    /// How often a state was come to that had been there.
    returns: usize,
    /// What some of those led to: by the state's number, the identities of what follows.
    samples: Vec<(u32, Vec<u64>)>,
    /// The steps to the state that is being looked at.
    path: Vec<Event>,
    depth: usize,
}

impl Search {
    fn run(&mut self, first: State) {
        let mut visits = Vec::new();
        visits.extend(self.arrive(first, None));
        while let Some(visit) = visits.last_mut() {
            let Some(event) = visit.left.pop() else {
                visits.pop();
                self.path.pop();
                continue;
            };
            let state = match visit.left.is_empty() {
                true => visit.state.take(),
                false => visit.state.clone(),
            };
            let mut state = state.expect("there as long as something is left");
            self.path.push(event);
            self.depth = self.depth.max(self.path.len());
            state.happen(event);
            match self.arrive(state, Some((visit.number, event))) {
                Some(next) => visits.push(next),
                None => drop(self.path.pop()),
            }
        }
    }

    /// Comes to a state; nothing if it has been there.
    fn arrive(&mut self, mut state: State, from: Option<(u32, Event)>) -> Option<Visit> {
        let next = self.numbers.len() as u32;
        let identity = state.identity();
        let (number, new) = match self.numbers.entry(identity) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(new) => (*new.insert(next), true),
        };
        self.edges.extend(from.map(|(before, _)| (before, number)));
        if !new {
            self.returns += 1;
            if self.returns.is_multiple_of(SAMPLED_ONE_IN) {
                self.samples.push((number, followers(&state)));
            }
            return None;
        }
        assert!(self.numbers.len() < MAX_STATES, "the world is not small");
        self.origins.push(from);
        self.identities.push(identity);
        invariants::check(&state.seen());
        state.check_waits();
        let left = state.possible();
        if left.is_empty() {
            invariants::check_end(&state.seen());
            self.ends.push(number);
        }
        Some(Visit {
            number,
            state: Some(state),
            left,
        })
    }

    /// A state from which none of the ends can be reached, if there is one.
    fn without_end(&self) -> Option<u32> {
        let mut before = vec![Vec::new(); self.numbers.len()];
        for (from, to) in &self.edges {
            before[*to as usize].push(*from);
        }
        let mut ends = vec![false; self.numbers.len()];
        let mut next = self.ends.clone();
        while let Some(state) = next.pop() {
            if !std::mem::replace(&mut ends[state as usize], true) {
                next.extend(&before[state as usize]);
            }
        }
        ends.iter().position(|ends| !ends).map(|at| at as u32)
    }

    /// A state for which another one was taken that goes on otherwise, if there is one among the samples.
    fn mistaken(&self) -> Option<u32> {
        let mut known: HashMap<u32, Vec<u64>> = HashMap::new();
        for (number, _) in &self.samples {
            known.insert(*number, Vec::new());
        }
        for (from, to) in &self.edges {
            if let Some(followers) = known.get_mut(from) {
                followers.push(self.identities[*to as usize]);
            }
        }
        for followers in known.values_mut() {
            followers.sort_unstable();
        }
        let differs = |(number, followers): &&(u32, Vec<u64>)| known[number] != *followers;
        let found = self.samples.iter().find(differs);
        found.map(|(number, _)| *number)
    }

    fn path_to(&self, state: u32) -> Vec<Event> {
        let origin = |state: u32| self.origins[state as usize];
        let back = std::iter::successors(origin(state), |(from, _)| origin(*from));
        let mut path: Vec<_> = back.map(|(_, event)| event).collect();
        path.reverse();
        path
    }

    fn explored(&self) -> Explored {
        Explored {
            states: self.numbers.len(),
            transitions: self.edges.len(),
            depth: self.depth,
            ends: self.ends.len(),
        }
    }
}
