//! Stops that nobody has waited for, and what a tracer's page says about that.
//!
//! A stop is waited for by message, or in the page by clearing its bit. The process manager learns of that when it
//! [looks](Procmgr::settle_stops), which it does before it makes anything of what is unseen.

use super::is_taken;
use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use abi::TaskId;
use abi::stops::{HEAD, PLACE_WORDS, PLACES, UNSEEN, WHAT, written};

impl Procmgr {
    /// A wait has found a stop that may be shown as unseen.
    pub(crate) fn show_seen(&mut self, m: &mut impl Machine, id: TaskId) {
        let stopped = &self.task(id).trace.stopped;
        if stopped.as_ref().is_some_and(|stopped| stopped.shown)
            && let Some((place, owner, page)) = self.place_shown_to(m, id)
            && page.forget(id, owner)
            && place[0] == owner
        {
            place[WHAT] = written(place[WHAT], place[WHAT] & !UNSEEN);
        }
    }

    /// What a process has waited for by its page, it has waited for.
    #[inline]
    pub(crate) fn settle_stops(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        if self.process(ix).stop_page.is_some() {
            for number in 0..PLACES {
                self.settle_place(m, ix, number);
            }
        }
    }

    /// The same for one place.
    #[inline]
    fn settle_place(&mut self, m: &mut impl Machine, ix: ProcessIx, number: usize) {
        let Some(page) = &self.process(ix).stop_page else {
            return;
        };
        let (shown, addr) = (page.unseen[number], page.addr);
        let Some((id, owner)) = shown else {
            return;
        };
        let at = HEAD + number * PLACE_WORDS;
        let tracer = self.find_task(id).ok().and_then(|task| task.trace.tracer);
        let words = tracer.and_then(|by| self.page_of(m, by, addr));
        if words.is_some_and(|words| is_taken(&words[at..], owner)) {
            if let Some(page) = &mut self.process_mut(ix).stop_page {
                page.forget(id, owner);
            }
            self.stop_was_taken(id);
        }
    }

    /// A stop was waited for by the page.
    pub(super) fn stop_was_taken(&mut self, id: TaskId) {
        if self.find_task(id).is_err() {
            return;
        }
        let trace = &mut self.task_mut(id).trace;
        if let (Some(stopped), Some(tracer)) = (&mut trace.stopped, trace.tracer) {
            stopped.unseen = false;
            self.stop_is_seen(id, tracer);
        }
    }
}
