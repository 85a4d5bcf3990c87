//! Engines: what `libtrace_engine.h` declares. It says what is passed and returned; here is how it travels.

use core::ffi::{c_int, c_long, c_uint, c_void};

use abi::engine::{self, Attachment, POLL};
use abi::linux::ptrace::{PTRACE_PEEKTEXT, PTRACE_PEEKUSR};

use crate::libc;
use crate::message::Servers;

const ENOSYS: i64 = -38;
const EBUSY: i64 = -16;
const ESRCH: i64 = -3;

/// `int engine_attach(pid_t tid, unsigned flags, uint64_t ops, uint64_t data, engine_t *engine)`.
///
/// # Safety
/// `engine` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_attach(
    tid: c_int,
    flags: c_uint,
    ops: u64,
    data: u64,
    engine: *mut u64,
) -> c_int {
    let words = [u64::from(tid as u32) | u64::from(flags) << 32, ops, data, 0];
    let result = loop {
        match to_tracer(engine::ATTACH, words) {
            // The task is newborn: its creator's engines come first.
            EBUSY => {
                // SAFETY: gives up the processor.
                unsafe { libc::syscall(abi::linux::general::__NR_sched_yield.into()) };
            }
            result => break result,
        }
    };
    let Some(attached) = u64::try_from(result).ok().and_then(Attachment::from_word) else {
        return libc::result(result) as c_int;
    };
    // SAFETY: the caller's promise.
    unsafe { engine.write(attached.handle.to_word()) };
    attached.standing as c_int
}

/// `int engine_set(engine_t engine, uint32_t events, uint32_t state, const struct engine_calls *calls)`.
///
/// # Safety
/// `calls` is null or may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_set(
    engine: u64,
    events: u32,
    state: u32,
    calls: *const c_void,
) -> c_int {
    let flags = u64::from(events) | u64::from(state) << 32;
    let words = [engine, flags, calls.addr() as u64, 0];
    libc::result(to_tracer(engine::SET_FLAGS, words)) as c_int
}

/// `int engine_detach(engine_t engine)`.
#[unsafe(no_mangle)]
pub extern "C" fn engine_detach(engine: u64) -> c_int {
    libc::result(to_tracer(engine::DETACH, [engine, 0, 0, 0])) as c_int
}

/// `int engine_inject(engine_t engine, unsigned choice, const siginfo_t *info, const struct engine_action *action)`.
///
/// # Safety
/// `info` may be read; `action` is null or may be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_inject(
    engine: u64,
    choice: c_uint,
    info: *const c_void,
    action: *const c_void,
) -> c_int {
    let words = [
        engine,
        choice.into(),
        info.addr() as u64,
        action.addr() as u64,
    ];
    libc::result(to_tracer(engine::INJECT, words)) as c_int
}

/// `int engine_next(struct engine_callback *callback, uint64_t answer)`.
///
/// # Safety
/// `callback` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_next(callback: *mut c_void, answer: u64) -> c_int {
    // SAFETY: the caller's promise.
    let next = || unsafe { take(callback, 0, answer) };
    libc::result(libc::cancellable(next)) as c_int
}

/// `int engine_poll(struct engine_callback *callback, uint64_t answer)`.
///
/// # Safety
/// `callback` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_poll(callback: *mut c_void, answer: u64) -> c_int {
    // SAFETY: the caller's promise.
    libc::result(unsafe { take(callback, POLL, answer) }) as c_int
}

/// `long engine_request(int request, engine_t engine, void *addr, void *data)`.
///
/// # Safety
/// `addr` and `data` must suit the request, as for ptrace(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn engine_request(
    request: c_int,
    engine: u64,
    addr: *mut c_void,
    data: *mut c_void,
) -> c_long {
    let Some(servers) = Servers::find() else {
        return libc::result(ENOSYS);
    };
    let words = [
        request as u64,
        engine,
        addr.addr() as u64,
        data.addr() as u64,
    ];
    // SAFETY: the caller's promise.
    let (result, word) = unsafe { servers.procmgr(engine::REQUEST, words) };
    if result == 0 && matches!(request as u32, PTRACE_PEEKTEXT..=PTRACE_PEEKUSR) {
        libc::set_errno(0);
        return word as c_long;
    }
    libc::result(result)
}

/// # Safety
/// `callback` may be written.
unsafe fn take(callback: *mut c_void, poll: u64, answer: u64) -> i64 {
    let Some(servers) = Servers::find() else {
        return ENOSYS;
    };
    let buffer = callback.addr() as u64 | poll;
    // SAFETY: the caller's promise.
    match unsafe { servers.next(answer, buffer) } {
        // The task of the callback before has been killed: there is nothing to answer any more.
        // SAFETY: as above.
        ESRCH if answer != 0 => unsafe { servers.next(0, buffer) },
        result => result,
    }
}

fn to_tracer(kind: u64, words: [u64; 4]) -> i64 {
    Servers::find().map_or(ENOSYS, |servers| servers.tracer(kind, words))
}
