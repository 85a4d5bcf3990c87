//! What gdb knows of symbols, and what follows from it.

use libtrace::Errno;

use super::{Answer, Session};
use crate::packet::{ThreadId, hex};

impl Session {
    /// gdb offers to look symbols up, or says where one is: asks for the next, if one is wanted.
    pub(super) fn symbol(&mut self, answer: Option<(String, Option<u64>)>) -> Answer {
        // Before there is a process, gdb knows no places.
        let Some(symbols) = self.target.symbols(self.selected.pid) else {
            return Answer::Ok;
        };
        let next = match answer {
            None => symbols.first(),
            Some((name, addr)) => symbols.learn(&name, addr),
        };
        match next {
            Some(name) => Answer::text(format!("qSymbol:{}", hex::encode(name.as_bytes()))),
            None => Answer::Ok,
        }
    }

    /// Where a thread has a variable of its own. Where the C library does not say, that is an error of this program, and not a packet that
    /// nobody here knows: gdb would never ask again.
    pub(super) fn thread_local(&mut self, id: ThreadId, offset: u64, link_map: u64) -> Answer {
        let tasks: Vec<_> = self.target.tasks().collect();
        let found = tasks.iter().find(|it| id.admits(it.process, it.tid));
        let Some(tid) = found.map(|task| task.tid) else {
            return Answer::Error(Errno::ESRCH);
        };
        match self.target.thread_local(tid, offset, link_map) {
            Ok(addr) => Answer::text(format!("{addr:x}")),
            Err(error) => Answer::Error(error),
        }
    }
}
