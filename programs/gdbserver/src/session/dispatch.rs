//! Which request is carried out where.

use super::{Answer, Session};
use crate::request::{Reject, Request};

impl Session {
    pub(super) fn answer(&mut self, packet: &[u8]) -> Answer {
        let request = match Request::parse(packet) {
            Ok(request) => request,
            Err(Reject::Unsupported) => return Answer::Unsupported,
            Err(Reject::Malformed) => return Answer::Error(libtrace::Errno::EINVAL),
        };
        match request {
            // Connections outlive programs anyway.
            Request::Extended => Answer::Ok,
            Request::Why => self.why(),
            Request::ReadRegisters => self.read_registers(),
            Request::WriteRegisters(bytes) => self.write_registers(&bytes),
            Request::ReadRegister(number) => self.read_register(number),
            Request::WriteRegister(number, bytes) => self.write_register(number, &bytes),
            Request::ReadMemory(range) => self.read_memory(range),
            Request::WriteMemory(addr, bytes) => self.write_memory(addr, &bytes),
            Request::Select(id) => self.select(id),
            Request::SelectResumed(id) => {
                self.resumed = id;
                Answer::Ok
            }
            Request::Alive(id) => self.is_alive(id),
            Request::Insert(point) => {
                let inserted = self.target.insert(self.selected.pid, point);
                point_answer(inserted)
            }
            Request::Remove(point) => {
                let removed = self.target.remove(self.selected.pid, &point);
                point_answer(removed)
            }
            Request::Resume(directives) => self.resume(&directives),
            Request::ResumeSelected(action) => self.resume_selected(action),
            Request::ResumeActions => Answer::text("vCont;c;C;s;S;t;r"),
            Request::Interrupt => {
                self.interrupt();
                Answer::Ok
            }
            Request::NextStop => self.next_notice(),
            Request::Run { program, args } => self.run(program, args),
            Request::Attach(pid) => self.attach(pid),
            Request::Kill(pid) => self.kill(pid),
            Request::Detach(pid) => self.detach(pid),
            Request::Restart => self.restart(),
            Request::Nothing => Answer::Unsupported,
            Request::File(request) => Answer::Bytes(self.files.handle(request)),
            Request::Query(query) => self.query(query),
            Request::Set(setting) => self.set(setting),
        }
    }
}

/// What the machine has nothing like is not an error: gdb then tries something else.
fn point_answer(result: libtrace::Result<()>) -> Answer {
    match result {
        Err(libtrace::Errno::ENOSYS) => Answer::Unsupported,
        result => result.into(),
    }
}
