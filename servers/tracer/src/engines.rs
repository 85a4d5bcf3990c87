//! What programs ask of their engines: attach, detach, set_flags, inject (utrace.md, Calls).

use crate::engine::{AttachFlags, Attached, Choice, EngineId, Flags, Life, Origin};
use crate::table::{Kind, Owned, Task};
use crate::{Host, Tracer, host};
use abi::engine::{Attachment, Calls, Handle, Standing};
use abi::tracer::{Call, Reply};
use abi::{Errno, TaskId};

impl Tracer {
    /// [`abi::engine::ATTACH`].
    pub(crate) fn attach_engine(
        &mut self,
        host: &mut impl Host,
        client: TaskId,
        [who, ops, data, _]: [u64; 4],
    ) -> Result<i64, Errno> {
        let tid = who as u32;
        let flags = AttachFlags::from_bits((who >> 32) as u32).ok_or(Errno::EINVAL)?;
        let Reply::Found { task: id } = host::ask(host, &Call::Find { tid })? else {
            return Err(Errno::ESRCH);
        };
        if !flags.contains(AttachFlags::CREATE) {
            if self.tasks.get(id).is_none() {
                self.adopt(host, id)?;
            }
            let found = self.find_engine(host, id, flags, (ops, data));
            self.settle(host, id);
            return found;
        }
        let uid = self.clients.uid(host, client)?;
        let origin = match self.is_asked_about_child(client, tid) {
            true => Origin::Creator,
            false => Origin::Outside,
        };
        let owned = Owned {
            uid,
            kind: Kind::Client(client),
        };
        let how = (flags, origin);
        loop {
            let known = self.tasks.get(id).is_some();
            self.tasks.room(uid, !known)?;
            let attached = match known {
                true => self.join(host, id, how, (ops, data), owned.clone()),
                false => self.begin(host, (id, tid), how, (ops, data), owned.clone()),
            };
            match attached {
                // It may have a tracer meanwhile that nobody has told of.
                Err(Errno::EBUSY) if !known => {
                    self.adopt(host, id)?;
                    self.tasks.get(id).ok_or(Errno::EBUSY)?;
                }
                attached => return Ok(attached?.to_word() as i64),
            }
        }
    }

    /// A look-up without CREATE.
    fn find_engine(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        flags: AttachFlags,
        names: (u64, u64),
    ) -> Result<i64, Errno> {
        let task = self.tasks.get(id).ok_or(Errno::ENOENT)?;
        let engine = task.chain.find(flags, names)?;
        self.recall(host, id)?;
        let task = self.tasks.get(id).ok_or(Errno::ESRCH)?;
        let standing = match (task.chain.life(), task.chain.report()) {
            (Life::Dead, _) => Standing::Dead,
            (_, Some(_)) => Standing::Held,
            _ => Standing::Running,
        };
        let handle = Handle {
            task: id,
            engine: engine.0,
        };
        Ok(Attachment { handle, standing }.to_word() as i64)
    }

    /// Attaches to a task that has engines.
    fn join(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        (flags, origin): (AttachFlags, Origin),
        (ops, data): (u64, u64),
        owned: Owned,
    ) -> Result<Attachment, Errno> {
        let Kind::Client(client) = owned.kind else {
            return Err(Errno::EINVAL);
        };
        let uid = owned.uid;
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        let engine = match task.chain.attach(flags, origin, (ops, data), owned)? {
            Attached::New(engine) => engine,
            Attached::Found(_) => return Err(Errno::EEXIST),
            Attached::Wait => return Err(Errno::EBUSY),
        };
        let engaged = engage(host, id, client, engine, data)
            .and_then(|engaged| self.recall(host, id).map(|()| engaged));
        let (_, standing) = match engaged {
            Ok(engaged) => engaged,
            Err(e) => {
                if let Some(task) = self.tasks.get_mut(id) {
                    drop(task.chain.forget(engine));
                }
                return Err(e);
            }
        };
        self.tasks.charge(uid);
        self.settle(host, id);
        let handle = Handle {
            task: id,
            engine: engine.0,
        };
        Ok(Attachment { handle, standing })
    }

    /// Attaches to a task that has no engine yet.
    fn begin(
        &mut self,
        host: &mut impl Host,
        (id, tid): (TaskId, u32),
        (flags, origin): (AttachFlags, Origin),
        (ops, data): (u64, u64),
        owned: Owned,
    ) -> Result<Attachment, Errno> {
        let Kind::Client(client) = owned.kind else {
            return Err(Errno::EINVAL);
        };
        let life = match self.tasks.creator(tid) {
            Some(_) => Life::Newborn,
            None => Life::Alive,
        };
        let mut task = Task::new(life);
        let engine = match task.chain.attach(flags, origin, (ops, data), owned)? {
            Attached::New(engine) => engine,
            Attached::Found(_) => return Err(Errno::EEXIST),
            Attached::Wait => return Err(Errno::EBUSY),
        };
        let (tid, standing) = engage(host, id, client, engine, data)?;
        task.tid = tid;
        if standing == Standing::Dead {
            task.chain.died();
        }
        self.tasks.insert(id, task);
        self.settle(host, id);
        let handle = Handle {
            task: id,
            engine: engine.0,
        };
        Ok(Attachment { handle, standing })
    }

    /// [`abi::engine::DETACH`].
    pub(crate) fn detach_engine(
        &mut self,
        host: &mut impl Host,
        client: TaskId,
        [handle, ..]: [u64; 4],
    ) -> Result<i64, Errno> {
        let handle = self.own_engine(client, handle)?;
        let task = self.tasks.get_mut(handle.task).ok_or(Errno::ESRCH)?;
        let engine = EngineId(handle.engine);
        task.chain.may_detach(engine)?;
        // ESRCH: it is being reaped, which has not come here yet.
        host::done(host, &Call::Disengage { handle })?;
        let gone = task.chain.detach(engine)?;
        self.tasks.discharge(gone.uid);
        self.settle(host, handle.task);
        Ok(0)
    }

    /// [`abi::engine::SET_FLAGS`].
    pub(crate) fn set_engine_flags(
        &mut self,
        host: &mut impl Host,
        client: TaskId,
        [handle, flags, calls, _]: [u64; 4],
    ) -> Result<i64, Errno> {
        let handle = self.own_engine(client, handle)?;
        let flags = Flags::from_word(flags).ok_or(Errno::EINVAL)?;
        let calls = match calls {
            0 => None,
            addr => Some(read_calls(host, client, addr)?),
        };
        let engine = EngineId(handle.engine);
        self.recall(host, handle.task)?;
        let task = self.tasks.get_mut(handle.task).ok_or(Errno::ESRCH)?;
        let set = task.chain.set_flags(engine, flags);
        if set.is_ok() {
            task.chain.set_calls(engine, calls)?;
        }
        // A report that was taken back goes on in any case.
        self.settle(host, handle.task);
        set.map(|()| 0)
    }

    /// [`abi::engine::INJECT`].
    pub(crate) fn inject(
        &mut self,
        host: &mut impl Host,
        client: TaskId,
        [handle, choice, info, action]: [u64; 4],
    ) -> Result<i64, Errno> {
        let handle = self.own_engine(client, handle)?;
        let choice = Choice::from_number(choice).ok_or(Errno::EINVAL)?;
        let call = Call::ReadSignal {
            client,
            info,
            action,
        };
        let Reply::Signal { info, handler } = host::ask(host, &call)? else {
            return Err(Errno::EINVAL);
        };
        let task = self.tasks.get_mut(handle.task).ok_or(Errno::ESRCH)?;
        let engine = EngineId(handle.engine);
        task.chain.inject(engine, choice, info, handler)?;
        Ok(0)
    }

    /// A client's own engine: ESRCH.
    fn own_engine(&self, client: TaskId, handle: u64) -> Result<Handle, Errno> {
        let handle = Handle::from_word(handle).ok_or(Errno::ESRCH)?;
        let task = self.tasks.get(handle.task).ok_or(Errno::ESRCH)?;
        let owner = task.owner(EngineId(handle.engine));
        let owns = owner == Some(client);
        owns.then_some(handle).ok_or(Errno::ESRCH)
    }
}

/// Has the process manager enter an engine: the task's tid and what it is at.
fn engage(
    host: &mut impl Host,
    task: TaskId,
    client: TaskId,
    engine: EngineId,
    data: u64,
) -> Result<(u32, Standing), Errno> {
    let call = Call::Engage {
        task,
        client,
        engine: engine.0,
        data,
    };
    match host::ask(host, &call)? {
        Reply::Engaged { tid, standing } => Ok((tid, standing)),
        _ => Err(Errno::EINVAL),
    }
}

fn read_calls(host: &mut impl Host, client: TaskId, addr: u64) -> Result<Calls, Errno> {
    match host::ask(host, &Call::ReadCalls { client, addr })? {
        Reply::Calls(calls) => Ok(calls),
        _ => Err(Errno::EINVAL),
    }
}
