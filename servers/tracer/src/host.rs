//! What the tracer needs from outside: the process manager, registers, and its clients.

use abi::tracer::{Answer, Call, Events, Posting, Reply, Report, TaskView};
use abi::wire::{Buffer, MAX, MAX_DATA, decode};
use abi::{Errno, Regs, SigInfo, TaskId};
use alloc::boxed::Box;

/// The outside world. The server binary implements it with kernel calls, tests with a model.
pub trait Host {
    /// Calls the process manager with an [`abi::tracer::Call`]; the encoded
    /// [`abi::tracer::Reply`] is in `buffer[..n]`.
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno>;
    /// A buffer for a call. A host that keeps one gives it out here and gets it back through
    /// [`Host::put_buffer`], so that it need not be cleared each time.
    fn take_buffer(&mut self) -> Box<Buffer> {
        Box::new([0; MAX])
    }
    /// Takes the buffer back.
    fn put_buffer(&mut self, _: Box<Buffer>) {}
    /// A held task's registers through its thread capability.
    fn regs(&mut self, task: TaskId) -> Result<Regs, Errno>;
    /// Writes them.
    fn set_regs(&mut self, task: TaskId, regs: &Regs) -> Result<(), Errno>;
    /// Answers a client whose call was parked.
    fn answer(&mut self, client: TaskId, words: [u64; 4]);
}

/// Calls, and looks at the reply's bytes.
fn ask<H: Host, T>(
    host: &mut H,
    call: &Call<'_>,
    look: impl FnOnce(&[u8]) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let mut buffer = host.take_buffer();
    let result = host
        .call(call, &mut buffer)
        .and_then(|n| look(buffer.get(..n).unwrap_or_default()));
    host.put_buffer(buffer);
    result
}

/// A call that is answered with [`Reply::Done`].
pub fn done(host: &mut impl Host, call: &Call<'_>) -> Result<(), Errno> {
    ask(host, call, |_| Ok(()))
}

/// A call that is answered with a [`TaskView`]; EINVAL if it is not.
pub fn view(host: &mut impl Host, call: &Call<'_>) -> Result<TaskView, Errno> {
    ask(host, call, |reply| match decode(reply)? {
        Reply::View(view) => Ok(view),
        _ => Err(Errno::EINVAL),
    })
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
    let report = ask(host, call, |reply| match decode(reply)? {
        Reply::Report(report) => Ok(Some(report)),
        _ => Ok(None),
    });
    report.ok().flatten()
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
    ask(host, &Call::Unpost { task }, |reply| {
        Ok(matches!(decode(reply)?, Reply::Count(1..)))
    })
    .unwrap_or(false)
}

/// Fills `bytes` (at most [`MAX_DATA`]) from a task's memory. EFAULT when not all can be read.
pub fn read(host: &mut impl Host, task: TaskId, addr: u64, bytes: &mut [u8]) -> Result<(), Errno> {
    debug_assert!(bytes.len() <= MAX_DATA);
    let len = bytes.len() as u32;
    let call = Call::Read { task, addr, len };
    ask(host, &call, |reply| match decode(reply)? {
        Reply::Bytes(read) if read.len() == bytes.len() => {
            bytes.copy_from_slice(read);
            Ok(())
        }
        _ => Err(Errno::EFAULT),
    })
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
    let call = Call::Write {
        task,
        addr,
        force,
        bytes,
    };
    ask(host, &call, |reply| match decode(reply)? {
        Reply::Count(count) if count as usize == bytes.len() => Ok(()),
        _ => Err(Errno::EFAULT),
    })
}
