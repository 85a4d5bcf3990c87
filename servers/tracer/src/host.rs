//! What the tracer needs from outside: the process manager, registers, and its clients.

use abi::tracer::{Answer, Call, Events, Posting, Reply, Report, TaskView};
use abi::wire::{Buffer, MAX, MAX_DATA, decode};
use abi::{Errno, Regs, SigInfo, TaskId};

/// The outside world. The server binary implements it with kernel calls, tests with a model.
pub trait Host {
    /// Calls the process manager with an [`abi::tracer::Call`]; the encoded
    /// [`abi::tracer::Reply`] is in `buffer[..n]`.
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno>;
    /// A held task's registers through its thread capability.
    fn regs(&mut self, task: TaskId) -> Result<Regs, Errno>;
    /// Writes them.
    fn set_regs(&mut self, task: TaskId, regs: &Regs) -> Result<(), Errno>;
    /// Answers a client whose call was parked.
    fn answer(&mut self, client: TaskId, words: [u64; 4]);
}

/// A call that is answered with [`Reply::Done`].
pub fn done(host: &mut impl Host, call: &Call<'_>) -> Result<(), Errno> {
    host.call(call, &mut [0; MAX]).map(|_| ())
}

/// A call that is answered with a [`TaskView`]; EINVAL if it is not.
pub fn view(host: &mut impl Host, call: &Call<'_>) -> Result<TaskView, Errno> {
    let mut buffer = [0; MAX];
    let n = host.call(call, &mut buffer)?;
    match decode(buffer.get(..n).unwrap_or_default())? {
        Reply::View(view) => Ok(view),
        _ => Err(Errno::EINVAL),
    }
}

/// The next report, none when there is no other.
pub fn next(host: &mut impl Host) -> Option<Report> {
    report(host, &Call::Next)
}

/// The report of a stop that the process manager has published by itself.
pub fn take(host: &mut impl Host, task: TaskId) -> Option<Report> {
    report(host, &Call::Take { task })
}

fn report(host: &mut impl Host, call: &Call<'_>) -> Option<Report> {
    let mut buffer = [0; MAX];
    let n = host.call(call, &mut buffer).ok()?;
    match decode(buffer.get(..n)?) {
        Ok(Reply::Report(report)) => Some(report),
        _ => None,
    }
}

/// Lets a held task go on.
pub fn answer(host: &mut impl Host, answer: Answer) -> Result<(), Errno> {
    done(host, &Call::Answer(answer))
}

/// Replaces the events reported of a task, and brings it to a stand with `quiesce`.
pub fn set_events(
    host: &mut impl Host,
    task: TaskId,
    (events, posting): (Events, Posting),
    quiesce: bool,
) -> Result<(), Errno> {
    done(
        host,
        &Call::SetEvents {
            task,
            events,
            posting,
            quiesce,
        },
    )
}

/// Sends a signal to one task.
pub fn signal(host: &mut impl Host, task: TaskId, info: SigInfo, force: bool) -> Result<(), Errno> {
    done(host, &Call::Signal { task, info, force })
}

/// Withdraws the stop published last; whether nobody had waited for it. A process manager that
/// does not say (it answers [`Reply::Count`]) counts as "somebody had".
pub fn unpost(host: &mut impl Host, task: TaskId) -> bool {
    let mut buffer = [0; MAX];
    match host.call(&Call::Unpost { task }, &mut buffer) {
        Ok(n) => matches!(
            decode(buffer.get(..n).unwrap_or_default()),
            Ok(Reply::Count(1..))
        ),
        Err(_) => false,
    }
}

/// Fills `bytes` (at most [`MAX_DATA`]) from a task's memory. EFAULT when not all can be read.
pub fn read(host: &mut impl Host, task: TaskId, addr: u64, bytes: &mut [u8]) -> Result<(), Errno> {
    debug_assert!(bytes.len() <= MAX_DATA);
    let mut buffer = [0; MAX];
    let len = bytes.len() as u32;
    let n = host.call(&Call::Read { task, addr, len }, &mut buffer)?;
    match decode(buffer.get(..n).unwrap_or_default())? {
        Reply::Bytes(read) if read.len() == bytes.len() => {
            bytes.copy_from_slice(read);
            Ok(())
        }
        _ => Err(Errno::EFAULT),
    }
}

/// Writes `bytes` (at most [`MAX_DATA`]) to a task's memory. EFAULT when not all were written.
pub fn write(
    host: &mut impl Host,
    task: TaskId,
    addr: u64,
    bytes: &[u8],
    force: bool,
) -> Result<(), Errno> {
    debug_assert!(bytes.len() <= MAX_DATA);
    let mut buffer = [0; MAX];
    let call = Call::Write {
        task,
        addr,
        force,
        bytes,
    };
    let n = host.call(&call, &mut buffer)?;
    match decode(buffer.get(..n).unwrap_or_default())? {
        Reply::Count(count) if count as usize == bytes.len() => Ok(()),
        _ => Err(Errno::EFAULT),
    }
}
