//! What the tracer needs from outside: the process manager.

use abi::tracer::{Answer, Call, Reply};
use abi::wire::{Buffer, MAX, decode};
use abi::{Errno, SigInfo, TaskId};
use alloc::boxed::Box;

/// The outside world. The server binary implements it with kernel calls, tests with the process
/// manager's own library.
pub trait Host {
    /// Calls the process manager with an [`abi::tracer::Call`]; the encoded
    /// [`abi::tracer::Reply`] is in `buffer[..n]`.
    fn call(&mut self, call: &Call, buffer: &mut Buffer) -> Result<usize, Errno>;
    /// How many messages of tasks were heard, and system calls of the kernel's made.
    fn work(&self) -> [u64; 2] {
        [0; 2]
    }
    /// A buffer for a call. A host that keeps one gives it out here and gets it back through
    /// [`Host::put_buffer`], so that it need not be cleared each time.
    fn take_buffer(&mut self) -> Box<Buffer> {
        Box::new([0; MAX])
    }
    /// Takes the buffer back.
    fn put_buffer(&mut self, _: Box<Buffer>) {}
}

/// Calls, and decodes the reply.
pub fn ask(host: &mut impl Host, call: &Call) -> Result<Reply, Errno> {
    let mut buffer = host.take_buffer();
    let result = host
        .call(call, &mut buffer)
        .and_then(|n| decode(buffer.get(..n).unwrap_or_default()));
    host.put_buffer(buffer);
    result
}

/// A call that is answered with [`Reply::Done`].
pub fn done(host: &mut impl Host, call: &Call) -> Result<(), Errno> {
    ask(host, call).map(drop)
}

/// The real user id of a client.
pub fn who(host: &mut impl Host, task: TaskId) -> Result<u32, Errno> {
    match ask(host, &Call::Who { task })? {
        Reply::Who { uid, .. } => Ok(uid),
        _ => Err(Errno::EINVAL),
    }
}

/// Whether a client may see what concerns all contexts: EPERM.
pub fn watches(host: &mut impl Host, task: TaskId) -> Result<(), Errno> {
    match ask(host, &Call::Who { task })? {
        Reply::Who { watches: true, .. } => Ok(()),
        _ => Err(Errno::EPERM),
    }
}

/// A new tracee and its tid, as one of the calls that make one says. None where nobody is left to
/// trace it.
pub fn trace(host: &mut impl Host, call: &Call) -> Result<Option<(TaskId, u32, TaskId)>, Errno> {
    match ask(host, call)? {
        Reply::Traced { task, tid, tracer } => Ok(Some((task, tid, tracer))),
        _ => Ok(None),
    }
}

/// Lets a held task go on.
pub fn answer(host: &mut impl Host, answer: Answer) -> Result<(), Errno> {
    done(host, &Call::Answer(answer))
}

/// Sends a signal to one task.
pub fn signal(host: &mut impl Host, task: TaskId, info: SigInfo, force: bool) -> Result<(), Errno> {
    done(host, &Call::Signal { task, info, force })
}
