//! What the file server asks for.

use crate::Procmgr;
use crate::credentials::{AccessMode, Executable};
use crate::exec::FoundProgram;
use crate::machine::{Machine, SpaceIx};
use crate::task::{FsPurpose, State};
use abi::fs::{Call, Direction, MAX_TRANSFER, Outcome, Record, Reply};
use abi::signal::UNBLOCKABLE;
use abi::wire::{self, Buffer, MAX_DATA};
use abi::{Errno, SigInfo, TaskId};

impl Procmgr {
    pub(crate) fn fs_call(
        &mut self,
        m: &mut impl Machine,
        call: Call<'_>,
        answer: &mut Buffer,
    ) -> Result<usize, Errno> {
        let reply = match call {
            Call::Next => return Err(Errno::EINVAL),
            Call::Complete {
                task,
                number,
                outcome,
            } => {
                self.complete(m, task, number, outcome)?;
                Reply::Done
            }
            Call::Read {
                task,
                number,
                addr,
                len,
            } => {
                let space = self.reported_space(task, number)?;
                let mut data = [0; MAX_DATA];
                let data = data.get_mut(..len as usize).ok_or(Errno::EINVAL)?;
                self.memory.read_exact(m, space, addr, data)?;
                return Ok(wire::encode(&Reply::Bytes(data), answer));
            }
            Call::ReadString { task, number, addr } => {
                let space = self.reported_space(task, number)?;
                let mut data = [0; MAX_DATA];
                let len = self.memory.read_cstr(m, space, addr, &mut data)?;
                return Ok(wire::encode(&Reply::Bytes(&data[..len]), answer));
            }
            Call::Write {
                task,
                number,
                addr,
                bytes,
            } => {
                let space = self.reported_space(task, number)?;
                self.memory.write_all(m, space, addr, bytes)?;
                Reply::Done
            }
            Call::Transfer {
                task,
                number,
                addr,
                len,
                object,
                offset,
                direction,
            } => {
                let space = self.reported_space(task, number)?;
                let n = self
                    .memory
                    .transfer(m, space, addr, len, object, offset, direction)?;
                Reply::Count(n)
            }
            Call::ReadObject {
                object,
                offset,
                len,
            } => {
                let mut data = [0; MAX_DATA];
                let data = data.get_mut(..len as usize).ok_or(Errno::EINVAL)?;
                self.memory.object_read(m, object, offset, data)?;
                return Ok(wire::encode(&Reply::Bytes(data), answer));
            }
            Call::WriteObject {
                object,
                offset,
                bytes,
            } => {
                self.memory.object_write(m, object, offset, bytes)?;
                Reply::Done
            }
            Call::Copy {
                from,
                from_offset,
                to,
                to_offset,
                len,
            } => {
                let (from, to) = ((from, from_offset), (to, to_offset));
                Reply::Count(self.memory.object_copy(m, from, to, len)?)
            }
            Call::Zero {
                object,
                offset,
                len,
            } => {
                self.memory.object_zero(m, (object, offset), len)?;
                Reply::Done
            }
            Call::Create => Reply::Object(self.memory.object_create()?),
            Call::Truncate { object, size } => {
                self.memory.object_truncate(m, object, size)?;
                Reply::Done
            }
            Call::Release { object } => {
                self.memory.object_release(m, object)?;
                Reply::Done
            }
            Call::Signal { task, signo } => {
                self.find_task(task)?;
                check_signal(signo)?;
                self.signal_task(m, task, SigInfo::new(signo, abi::signal::code::SI_USER))?;
                Reply::Done
            }
            Call::WatchSignals { task, set } => {
                let t = self.find_task(task)?;
                let pending = t.pending.set().or(self.process(t.process).pending.set());
                self.task_mut(task).watched_signals = set.without(UNBLOCKABLE);
                Reply::Signals(pending)
            }
            Call::TakeSignal { task, number, set } => {
                self.fs_report_of(task, number)?;
                let info = self.take_of_set(task, set).ok_or(Errno::EAGAIN)?;
                return Ok(wire::encode(&Reply::Bytes(&info.to_bytes()), answer));
            }
            Call::FindPid {
                viewer,
                tid,
                thread,
            } => {
                let id = self.shown(viewer, tid)?;
                if !thread && self.process(self.process_of(id)).leader != id {
                    return Err(Errno::ENOENT);
                }
                Reply::Pid(self.pid_name(tid))
            }
            Call::WatchPid { name } => {
                let id = self.by_name(name)?;
                self.tables.watched[name.tid as usize] = true;
                if self.has_ended(id) {
                    self.tell_fs_of_end(m, name.tid, false);
                }
                Reply::Done
            }
            Call::SignalPid {
                task,
                number,
                name,
                scope,
                signo,
                info,
            } => {
                self.fs_report_of(task, number)?;
                self.signal_pid(m, task, (name, scope), signo, info)?;
                Reply::Done
            }
            Call::Writers { object } => Reply::Count(self.memory.writers(object)),
            Call::SignalGroup { pgid, signo } => {
                check_signal(signo)?;
                self.signal_group(m, pgid, signo);
                Reply::Done
            }
            Call::Status { viewer, tid } => {
                let id = self.shown(viewer, tid)?;
                return Ok(record(&self.status(m, viewer, id), answer));
            }
            Call::Tids { viewer, tgid, from } => {
                let mut data = [0; MAX_DATA];
                let tids = self.tids(viewer, tgid, from, &mut data)?;
                return Ok(wire::encode(&Reply::Bytes(tids), answer));
            }
            Call::Groups { task, from } => {
                let groups = &self.find_task(task)?.credentials.groups;
                let rest = groups.get(from as usize..).unwrap_or_default();
                let rest = &rest[..rest.len().min(MAX_DATA / 4)];
                let bytes: alloc::vec::Vec<u8> =
                    rest.iter().flat_map(|group| group.to_le_bytes()).collect();
                return Ok(wire::encode(&Reply::Bytes(&bytes), answer));
            }
            Call::MayAccess { viewer, tid, real } => {
                let id = self.shown(viewer, tid)?;
                let mode = match real {
                    true => AccessMode::Real,
                    false => AccessMode::FileSystem,
                };
                if !self.may_access(viewer, id, mode) {
                    return Err(Errno::EACCES);
                }
                Reply::Done
            }
            Call::Peek { memory, addr, len } => {
                let space = self.memory.named(memory).ok_or(Errno::ESRCH)?;
                let mut data = [0; MAX_DATA];
                let data = data.get_mut(..len as usize).ok_or(Errno::EINVAL)?;
                let count = self.memory.peek(m, space, addr, data);
                if count == 0 && len > 0 {
                    return Err(Errno::EIO);
                }
                return Ok(wire::encode(&Reply::Bytes(&data[..count]), answer));
            }
            Call::TransferMemory {
                task,
                number,
                addr,
                len,
                memory,
                from,
                direction,
            } => {
                let own = (self.reported_space(task, number)?, addr);
                let space = self.memory.named(memory).ok_or(Errno::ESRCH)?;
                let len = len.min(MAX_TRANSFER);
                let moved = match direction {
                    Direction::ToTask => self.memory.peek_into(m, (space, from), own, len),
                    Direction::FromTask => self.memory.poke_from(m, own, (space, from), len),
                };
                Reply::Count(moved?)
            }
            Call::Mappings {
                viewer,
                tid,
                memory,
                from,
            } => {
                let id = self.shown(viewer, tid)?;
                return Ok(record(&self.mappings(id, memory, from)?, answer));
            }
            Call::Layout {
                viewer,
                tid,
                memory,
            } => {
                let id = self.shown(viewer, tid)?;
                return Ok(record(&self.layout(id, memory)?, answer));
            }
            Call::SetComm {
                viewer,
                tid,
                mut comm,
            } => {
                comm[15] = 0;
                let id = self.shown(viewer, tid)?;
                self.task_mut(id).comm = comm;
                Reply::Done
            }
            Call::SetDumpFilter {
                viewer,
                tid,
                filter,
            } => {
                let id = self.shown(viewer, tid)?;
                if filter >> crate::memory::FILTER_BITS != 0 {
                    return Err(Errno::EINVAL);
                }
                let ix = self.process_of(id);
                self.process_mut(ix).dump_filter = filter;
                Reply::Done
            }
            Call::Limits { viewer, tid } => {
                let id = self.shown(viewer, tid)?;
                return Ok(record(&self.process(self.process_of(id)).limits, answer));
            }
            Call::Counts { viewer } => return Ok(record(&self.counts(m, viewer)?, answer)),
            Call::System => return Ok(record(&self.system_info(m), answer)),
            Call::Time => Reply::Time {
                monotonic: m.now(),
                realtime: self.realtime(m),
            },
            Call::WakeAt { deadline } => {
                self.timers.remove_all(crate::timers::What::Fs);
                if deadline != u64::MAX {
                    self.add_timer(m, deadline, crate::timers::What::Fs);
                }
                Reply::Done
            }
        };
        Ok(wire::encode(&reply, answer))
    }

    fn reported_space(&self, task: TaskId, number: u32) -> Result<SpaceIx, Errno> {
        self.fs_report_of(task, number)?;
        self.task(task).space.ok_or(Errno::ESRCH)
    }

    fn signal_group(&mut self, m: &mut impl Machine, pgid: u32, signo: u8) {
        let members: alloc::vec::Vec<_> = self
            .processes()
            .filter(|(_, p)| p.pgid == pgid)
            .map(|(ix, _)| ix)
            .collect();
        for ix in members {
            if self.tables_process(ix).is_some() {
                // A standard signal always finds room.
                let _ = self.signal_process(m, ix, Procmgr::kernel_signal(signo));
            }
        }
    }

    /// Ends a report: EINVAL where the outcome is not of the report's kind.
    fn complete(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        number: u32,
        outcome: Outcome,
    ) -> Result<(), Errno> {
        let purpose = self.fs_report_of(id, number)?;
        let fits = match (purpose, outcome) {
            (FsPurpose::FindProgram(_), Outcome::Program { .. }) => true,
            (FsPurpose::Map(_), Outcome::File { .. }) => true,
            (FsPurpose::WaitPid(_), Outcome::Pid { .. }) => true,
            (FsPurpose::Core { .. }, Outcome::Core { .. }) => true,
            (
                FsPurpose::FindProgram(_)
                | FsPurpose::Map(_)
                | FsPurpose::WaitPid(_)
                | FsPurpose::Core { .. },
                Outcome::Result(r),
            ) => Errno::check(r).is_err(),
            (_, Outcome::Result(_)) => true,
            _ => false,
        };
        if !fits {
            return Err(Errno::EINVAL);
        }
        let State::Fs(purpose) = core::mem::replace(&mut self.task_mut(id).state, State::Moving)
        else {
            unreachable!("the report is outstanding");
        };
        match (purpose, outcome) {
            (FsPurpose::Syscall { .. }, Outcome::Result(r)) => self.finish_syscall(m, id, r),
            (FsPurpose::Created { parent, args, .. }, Outcome::Result(r)) => {
                match self.task_mut(id).trace.first_program.take() {
                    Some(exec) => self.first_exec(m, id, exec),
                    None => self.child_has_files(m, id, parent, args, r),
                }
            }
            (
                FsPurpose::FindProgram(exec),
                Outcome::Program {
                    range,
                    uid,
                    gid,
                    mode,
                    readable,
                    shared,
                    closes,
                },
            ) => {
                let found = FoundProgram {
                    range,
                    owner: Executable { uid, gid, mode },
                    readable,
                    shared,
                    closes,
                };
                self.program_found(m, id, exec, Ok(found));
            }
            (FsPurpose::FindProgram(exec), Outcome::Result(r)) => {
                let e = Errno::check(r).err().unwrap_or(Errno::EIO);
                self.program_found(m, id, exec, Err(e));
            }
            (FsPurpose::Executed(done), _) => self.executed(m, id, &done),
            (FsPurpose::Map(call), Outcome::File { range, may_write }) => {
                self.file_mapped(m, id, call, Ok((range, may_write)));
            }
            (FsPurpose::WaitPid(args), Outcome::Pid { name, nonblocking }) => {
                self.wait_for_pid(m, id, args, name, nonblocking);
            }
            (FsPurpose::WaitPid(_), Outcome::Result(r)) => self.finish_syscall(m, id, r),
            (FsPurpose::Map(call), Outcome::Result(r)) => {
                let e = Errno::check(r).err().unwrap_or(Errno::EIO);
                self.file_mapped(m, id, call, Err(e));
            }
            (
                FsPurpose::Core { .. },
                Outcome::Core {
                    object,
                    files,
                    room,
                },
            ) => self.core_named(m, id, Some((object, files, room))),
            (FsPurpose::Core { .. }, _) => self.core_named(m, id, None),
            (FsPurpose::CoreWritten { .. }, _) => self.core_closed(m, id),
            (FsPurpose::Exited, _) => self.files_closed(m, id),
            _ => unreachable!("checked above"),
        }
        Ok(())
    }
}

/// The answer that is a record.
fn record<T: Record>(value: &T, answer: &mut Buffer) -> usize {
    let mut buffer = [0; wire::MAX];
    let len = wire::encode(value, &mut buffer);
    wire::encode(&Reply::Bytes(&buffer[..len]), answer)
}

fn check_signal(signo: u8) -> Result<(), Errno> {
    if (1..=abi::signal::SIGMAX).contains(&signo) {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}
