//! How a system call is described, and how a description is printed.

use libtrace::Errno;
use syscalls::x86_64::Sysno;

use crate::cx::Cx;
use crate::names::Names;
use crate::quote::Style;
use crate::{calls, signals};

/// A system call whose arguments are known.
pub struct Call {
    /// Its number.
    pub nr: Sysno,
    /// Its arguments, in the order they are printed.
    pub args: &'static [Arg],
    /// What its result is.
    pub ret: Ret,
}

impl Call {
    /// A description.
    pub const fn new(nr: Sysno, args: &'static [Arg], ret: Ret) -> Call {
        Call { nr, args, ret }
    }
}

/// Prints an argument, given its value.
pub type Decoder = fn(&mut Cx<'_>, u64);

/// What an argument is. The n-th argument gets the n-th register.
#[derive(Clone, Copy)]
pub enum Arg {
    /// A signed number of 32 bits.
    Int,
    /// An unsigned number of 32 bits.
    Uint,
    /// A signed number of 64 bits.
    Long,
    /// An unsigned number of 64 bits.
    Size,
    /// A number that is printed in hexadecimal.
    Hex,
    /// An address that is not looked behind.
    Addr,
    /// A user or a group, or -1 for none.
    Id,
    /// A file descriptor.
    Fd,
    /// A file descriptor of a directory, or `AT_FDCWD`.
    DirFd,
    /// A path.
    Path,
    /// A string.
    Str,
    /// Bytes the call reads; the next argument says how many.
    Bytes,
    /// Bytes the call wrote; its result says how many.
    Filled,
    /// File permissions.
    Mode,
    /// A signal.
    Signal,
    /// Flags in 32 bits.
    Flags(&'static Names),
    /// Flags in 64 bits.
    Flags64(&'static Names),
    /// One of several constants.
    Choice(&'static Names),
    /// A pointer to a length that the call reads and changes.
    Length,
    /// Printed by a decoder, at the entry.
    In(Decoder),
    /// Printed by a decoder at the exit, which may look at the result.
    Out(Decoder),
    /// Printed at the exit where the arguments say that the call fills it, else at the entry.
    Either(fn(&[u64; 6]) -> bool, Decoder),
    /// Printed only where the arguments ask for it.
    When(fn(&[u64; 6]) -> bool, &'static Arg),
    /// Something that is no register, printed by a decoder at the exit, comma included.
    Tail(Decoder),
}

/// What a result is.
#[derive(Clone, Copy)]
pub enum Ret {
    /// A number.
    Int,
    /// A file descriptor.
    Fd,
    /// An address, or something else that is printed in hexadecimal.
    Hex,
    /// File permissions.
    Octal,
    /// The call does not come back.
    Never,
    /// A number with something to say behind it.
    Noted(fn(&mut Cx<'_>, i64)),
}

/// Prints the arguments that are known at the entry, and returns how many those are.
pub fn print_entry(args: &[Arg], cx: &mut Cx<'_>) -> usize {
    let until = args
        .iter()
        .position(|arg| arg.is_late(&cx.args))
        .unwrap_or(args.len());
    print(args, 0..until, cx);
    until
}

/// Prints the arguments from number `from` on, at the exit.
pub fn print_exit(args: &[Arg], from: usize, cx: &mut Cx<'_>) {
    print(args, from..args.len(), cx);
}

/// The comma belongs to the argument before it: what is printed at the entry ends with
/// one where more is sure to come.
fn print(args: &[Arg], range: std::ops::Range<usize>, cx: &mut Cx<'_>) {
    for at in range {
        args[at].print(cx, at);
        if args.get(at + 1).is_some_and(|next| next.is_sure(&cx.args)) {
            cx.comma();
        }
    }
}

impl Arg {
    /// The argument is printed at the exit, and what follows it too.
    fn is_late(&self, args: &[u64; 6]) -> bool {
        match self {
            Arg::Out(_) | Arg::Filled | Arg::Length | Arg::Tail(_) => true,
            Arg::Either(late, _) => late(args),
            Arg::When(asked, arg) => asked(args) && arg.is_late(args),
            _ => false,
        }
    }

    /// The argument will be printed, behind a comma.
    fn is_sure(&self, args: &[u64; 6]) -> bool {
        match self {
            Arg::When(asked, _) => asked(args),
            Arg::Tail(_) => false,
            _ => true,
        }
    }

    fn print(&self, cx: &mut Cx<'_>, at: usize) {
        let value = cx.args.get(at).copied().unwrap_or(0);
        match *self {
            Arg::Int => cx.int(value as i32),
            Arg::Uint => cx.int(value as u32),
            Arg::Long => cx.int(value as i64),
            Arg::Size => cx.int(value),
            Arg::Hex => cx.hex(value),
            Arg::Addr => cx.addr(value),
            Arg::Id if value as i32 == -1 => cx.put("-1"),
            Arg::Id => cx.int(value as u32),
            Arg::DirFd if value as i32 == calls::AT_FDCWD => cx.working_directory(),
            Arg::Fd | Arg::DirFd => cx.fd(value as i32),
            Arg::Path => cx.path(value),
            Arg::Str => cx.string(value),
            Arg::Bytes => cx.bytes(value, cx.args[at + 1], Style::Octal),
            Arg::Filled if cx.failed() => cx.addr(value),
            Arg::Filled => cx.bytes(value, cx.returned(), Style::Octal),
            Arg::Mode => cx.mode(value & 0xffff),
            Arg::Signal => cx.put(&signals::name(value as i32)),
            Arg::Flags(names) => cx.put(&names.flags(value & 0xffff_ffff)),
            Arg::Flags64(names) => cx.put(&names.flags(value)),
            Arg::Choice(names) => cx.put(&names.choice(value & 0xffff_ffff)),
            Arg::Length => print_length(cx, value),
            Arg::In(decode) | Arg::Out(decode) | Arg::Either(_, decode) => decode(cx, value),
            Arg::When(asked, arg) if asked(&cx.args) => arg.print(cx, at),
            Arg::When(..) => {}
            Arg::Tail(decode) => decode(cx, value),
        }
    }
}

/// What the length among the arguments, if there is one, is at the entry.
pub fn length(args: &[Arg], cx: &Cx<'_>) -> Option<u32> {
    let at = args.iter().position(|arg| matches!(arg, Arg::Length))?;
    cx.load(cx.args[at])
}

/// `[16]`, or `[128 => 16]` where the call has changed it.
fn print_length(cx: &mut Cx<'_>, addr: u64) {
    let after = cx.load::<u32>(addr).filter(|_| !cx.failed());
    match (cx.length, after) {
        (Some(before), Some(after)) if before != after => {
            cx.put(&format!("[{before} => {after}]"));
        }
        (Some(length), _) => cx.put(&format!("[{length}]")),
        (None, _) => cx.addr(addr),
    }
}

/// Prints a result, without the `= ` before it.
pub fn print_result(ret: Ret, cx: &mut Cx<'_>) {
    match cx.outcome {
        None => cx.put("?"),
        Some(Err(error)) => print_error(error, cx),
        Some(Ok(value)) => match ret {
            Ret::Int | Ret::Never => cx.int(value),
            Ret::Fd => cx.fd(value as i32),
            Ret::Hex => cx.hex(value as u64),
            Ret::Octal => cx.mode(value as u64),
            Ret::Noted(note) => note(cx, value),
        },
    }
}

fn print_error(error: Errno, cx: &mut Cx<'_>) {
    cx.put(if error.is_restart() { "? " } else { "-1 " });
    match (error.name(), error.description()) {
        (Some(name), Some(description)) => cx.put(&format!("{name} ({description})")),
        _ => cx.put(&format!("(errno {})", error.0)),
    }
}
