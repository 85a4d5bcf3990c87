//! Answers to questions.

use super::{Answer, Session};
use crate::objects::{self, Whose};
use crate::packet::{MAX_PACKET, escape, hex};
use crate::request::{Query, Transfer};
use crate::target::Origin;

/// What we can do besides what every server can (gdb manual, "General Query Packets": `qSupported`).
const SUPPORTED: &[&str] = &[
    "QStartNoAckMode+",
    "swbreak+",
    "hwbreak+",
    "vContSupported+",
    "QThreadEvents+",
    "no-resumed+",
    "QNonStop+",
    "QPassSignals+",
    "QProgramSignals+",
    "QCatchSyscalls+",
    "QDisableRandomization+",
    "QStartupWithShell+",
    "QEnvironmentHexEncoded+",
    "QEnvironmentReset+",
    "QEnvironmentUnset+",
    "QSetWorkingDir+",
    "qXfer:features:read+",
    "qXfer:auxv:read+",
    "qXfer:exec-file:read+",
    "qXfer:libraries-svr4:read+",
    "augmented-libraries-svr4-read+",
    "qXfer:siginfo:read+",
    "qXfer:siginfo:write+",
    "qXfer:threads:read+",
];

/// What is only done for who says that it knows it.
const MUTUAL: [&str; 4] = [
    "multiprocess+",
    "fork-events+",
    "vfork-events+",
    "exec-events+",
];

impl Session {
    pub(super) fn query(&mut self, query: Query) -> Answer {
        match query {
            Query::Supported(features) => self.supported(&features),
            Query::CurrentThread => self.current_thread(),
            Query::Threads { first } => self.thread_list(first),
            Query::ThreadExtra(id) => self.thread_extra(id),
            Query::Attached(pid) => {
                let process = self.target.process(pid.unwrap_or(self.selected.pid));
                let started = process.is_some_and(|it| it.origin == Origin::Started);
                Answer::text(if started { "0" } else { "1" })
            }
            Query::Symbol(answer) => self.symbol(answer),
            Query::ThreadLocal {
                thread,
                offset,
                link_map,
            } => self.thread_local(thread, offset, link_map),
            Query::Command(command) => self.monitor(&command),
            Query::Search(range, pattern) => self.search(range, &pattern),
            Query::Checksum(range) => self.checksum(range),
            Query::Transfer(transfer) => self.transfer(transfer),
            Query::WriteSignalInfo(offset, bytes) => self.write_signal_info(offset, &bytes),
            Query::Host => Answer::text(Self::host_info()),
            Query::Process => self.process_info(),
            Query::MemoryRegion(addr) => self.memory_region(addr),
        }
    }

    fn supported(&mut self, features: &[String]) -> Answer {
        let has = |name: &str| features.iter().any(|feature| feature == name);
        self.features = super::Features {
            multiprocess: has("multiprocess+"),
            software_breakpoints: has("swbreak+"),
            hardware_breakpoints: has("hwbreak+"),
            execs: has("exec-events+"),
            nobody_left: has("no-resumed+"),
        };
        self.target.wants.forks = has("fork-events+");
        self.target.wants.vforks = has("vfork-events+");
        let mut text = format!("PacketSize={MAX_PACKET:x}");
        let mutual = MUTUAL.into_iter().filter(|it| has(it));
        for feature in mutual.chain(SUPPORTED.iter().copied()) {
            text.push(';');
            text.push_str(feature);
        }
        Answer::text(text)
    }

    /// One piece of an object.
    fn transfer(&mut self, transfer: Transfer) -> Answer {
        let Transfer {
            object,
            annex,
            offset,
            len,
        } = transfer;
        let known = self.object.take();
        // Whoever begins anew wants to know how it is now.
        let known = known.filter(|(it, its, _)| offset > 0 && *it == object && *its == annex);
        let bytes = match known {
            Some((.., bytes)) => bytes,
            None => {
                let whose = Whose {
                    pid: self.selected.pid,
                    tid: self.selected.tid,
                    multiprocess: self.features.multiprocess,
                };
                match objects::read(&mut self.target, whose, &object, &annex) {
                    Some(Ok(bytes)) => bytes,
                    Some(Err(error)) => return Answer::Error(error),
                    None => return Answer::Unsupported,
                }
            }
        };
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let piece = &rest[..rest.len().min(len as usize)];
        let mut answer = vec![if piece.len() < rest.len() { b'm' } else { b'l' }];
        answer.extend(escape(piece));
        self.object = Some((object, annex, bytes));
        Answer::Bytes(answer)
    }

    fn write_signal_info(&mut self, offset: u64, bytes: &[u8]) -> Answer {
        let written = self.selected_stopped().and_then(|stopped| {
            let mut info = *stopped.signal_info()?.bytes();
            let end = (offset as usize).saturating_add(bytes.len());
            let place = info.get_mut(offset as usize..end);
            place.ok_or(libtrace::Errno::EINVAL)?.copy_from_slice(bytes);
            stopped.set_signal_info(&libtrace::SigInfo::of_bytes(&info))
        });
        match written {
            Ok(()) => Answer::text(format!("{:x}", bytes.len())),
            Err(error) => Answer::Error(error),
        }
    }

    fn thread_extra(&self, id: crate::packet::ThreadId) -> Answer {
        let mut tasks = self.target.tasks();
        let Some(task) = tasks.find(|task| id.admits(task.process, task.tid)) else {
            return Answer::Error(libtrace::Errno::ESRCH);
        };
        let path = format!("/proc/{}/task/{}/comm", task.process, task.tid);
        let name = std::fs::read(path).unwrap_or_default();
        Answer::text(hex::encode(name.trim_ascii_end()))
    }
}
