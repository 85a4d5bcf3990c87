//! Speaking to the servers directly: one kernel message of four words each way, which saves the
//! process manager's handling of a system call's fault.
//!
//! The C library is made of this file too, so it uses `core` only, and leaves `errno` alone.

use core::arch::{asm, global_asm};
use core::num::NonZeroU64;
use core::sync::atomic::AtomicI64;
use core::sync::atomic::Ordering::Relaxed;

use abi::client::{
    self, ASK_TRACER, MAX_NUMBER, NR_SERVER_CAPS, PTRACE, READ_MEMORY, WAIT, WRITE_MEMORY,
};

use crate::stops;

/// This process's capabilities to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Servers(NonZeroU64);

/// One of the servers: how far its capability is behind the first one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Procmgr = 0,
    Tracer = 1,
}

/// seL4's number of the system call that sends a message and waits for its answer.
const CALL: i64 = -1;
/// And of the one that lets whoever else is ready run.
const YIELD: i64 = -7;
/// What the wait status of a stop ends in.
const STOPPED: i32 = 0x7f;
/// Bits of a message's shape below its label: 4 words.
const WORDS: u64 = 4;
/// The bit of a shape at which the label begins.
const LABEL: u32 = 12;

impl Servers {
    /// Asks the machine for them, once; there are none on Linux, which does not know the call.
    #[inline]
    pub fn find() -> Option<Servers> {
        /// What the machine said, and 0 before that.
        static FOUND: AtomicI64 = AtomicI64::new(0);
        let mut caps = FOUND.load(Relaxed);
        if caps == 0 {
            caps = Servers::ask();
            FOUND.store(caps, Relaxed);
        }
        u64::try_from(caps)
            .ok()
            .and_then(NonZeroU64::new)
            .map(Servers)
    }

    #[cold]
    fn ask() -> i64 {
        let caps;
        // SAFETY: the call takes no arguments and touches no memory; where it does not exist it
        // fails with ENOSYS.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") u64::from(NR_SERVER_CAPS) => caps,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack),
            );
        }
        caps
    }

    /// Makes a ptrace request. The first word of the answer is the result as a system call would
    /// leave it in `rax`, the second the word that a PEEK request read.
    ///
    /// # Safety
    /// `data` must suit the request as for ptrace(2): a server writes through it.
    pub unsafe fn ptrace(self, request: u32, pid: u64, addr: u64, data: u64) -> (i64, u64) {
        let words = [request.into(), pid, addr, data];
        // SAFETY: the caller's promise.
        let [result, word, ..] = unsafe { self.call(Server::Procmgr, PTRACE, words) };
        if result as i64 != ASK_TRACER {
            return (result as i64, word);
        }
        // SAFETY: the caller's promise.
        let [result, word, ..] = unsafe { self.call(Server::Tracer, PTRACE, words) };
        (result as i64, word)
    }

    /// process_vm_readv(2) of one range: its result.
    ///
    /// # Safety
    /// `len` bytes at `to` must be this program's to be written.
    pub unsafe fn read_memory(self, pid: i32, addr: u64, to: *mut u8, len: usize) -> i64 {
        let words = [pid as u64, addr, to as u64, len as u64];
        // SAFETY: the caller's promise.
        let [result, ..] = unsafe { self.call(Server::Procmgr, READ_MEMORY, words) };
        result as i64
    }

    /// process_vm_writev(2) of one range: its result.
    ///
    /// # Safety
    /// `len` bytes at `from` must be this program's to be read.
    pub unsafe fn write_memory(self, pid: i32, addr: u64, from: *const u8, len: usize) -> i64 {
        let words = [pid as u64, addr, from as u64, len as u64];
        // SAFETY: the caller's promise.
        let [result, ..] = unsafe { self.call(Server::Procmgr, WRITE_MEMORY, words) };
        result as i64
    }

    /// wait4(2) without rusage: its result and the status.
    pub fn wait(self, pid: i32, options: i32) -> (i64, i32) {
        if let Some(status) = stops::wait(pid, options) {
            return (pid.into(), status);
        }
        let words = [i64::from(pid) as u64, i64::from(options) as u64];
        // SAFETY: nothing is written.
        let result = unsafe { self.land(WAIT, words) };
        if result < 0 {
            return (result, 0);
        }
        let status = (result >> 32) as i32;
        if pid > 0 && status & 0xff == STOPPED {
            stops::waited(self);
        }
        (result & 0xffff_ffff, status)
    }

    /// [`abi::engine::NEXT`]: its result.
    ///
    /// # Safety
    /// At `buffer`, which may have [`POLL`](abi::engine::POLL) in it, there is room for a callback.
    pub unsafe fn next(self, answer: u64, buffer: u64) -> i64 {
        // SAFETY: the caller's promise.
        unsafe { self.land(abi::engine::NEXT, [answer, buffer]) }
    }

    /// A message to the tracer that writes nothing: its result.
    pub fn tracer(self, kind: u64, words: [u64; 4]) -> i64 {
        // SAFETY: none of the tracer's own messages has anything written.
        let [result, ..] = unsafe { self.call(Server::Tracer, kind, words) };
        result as i64
    }

    /// A message to the process manager: the answer's first two words.
    ///
    /// # Safety
    /// What the message asks to be written must be this program's to be written.
    pub unsafe fn procmgr(self, kind: u64, words: [u64; 4]) -> (i64, u64) {
        // SAFETY: the caller's promise.
        let [result, word, ..] = unsafe { self.call(Server::Procmgr, kind, words) };
        (result as i64, word)
    }

    /// A message to the process manager that may have to wait, and goes on where it is told.
    ///
    /// # Safety
    /// What the message asks to be written must be this program's to be written.
    unsafe fn land(self, kind: u64, words: [u64; 2]) -> i64 {
        let shape = shape(Server::Procmgr, kind);
        let result: i64;
        // SAFETY: as in `call`. The answer's first word goes to where the result is for a program that
        // has waited, which goes on at the second label with the same stack pointer.
        unsafe {
            asm!(
                "mov rcx, rsp",
                "mov r15, rsp",
                "lea rdx, [rip + 2f]",
                "lea r9, [rip + 3f]",
                "2: sysenter",
                "mov rax, r10",
                "3:",
                inlateout("rax") CALL => result,
                inlateout("rdi") self.0.get() => _,
                inlateout("rsi") shape => _,
                inlateout("r10") words[0] => _,
                inlateout("r8") words[1] => _,
                lateout("r9") _,
                lateout("r15") _,
                lateout("rcx") _,
                lateout("rdx") _,
                lateout("r11") _,
            );
        }
        result
    }

    /// Sends a message and waits for the answer.
    ///
    /// # Safety
    /// What the message asks to be written must be this program's to be written.
    unsafe fn call(self, server: Server, kind: u64, words: [u64; 4]) -> [u64; 4] {
        let shape = shape(server, kind);
        let to = self.0.get() + server as u64;
        let (w0, w1, w2, w3);
        // SAFETY: in the machine `sysenter` enters the kernel with the return address in rdx and
        // the stack pointer in rcx; it changes the registers named and nothing else of this
        // program. Memory that the words name is the caller's promise.
        unsafe {
            asm!(
                "mov rcx, rsp",
                "lea rdx, [rip + 2f]",
                "2: sysenter",
                inlateout("rax") CALL => _,
                inlateout("rdi") to => _,
                inlateout("rsi") shape => _,
                inlateout("r10") words[0] => w0,
                inlateout("r8") words[1] => w1,
                inlateout("r9") words[2] => w2,
                inlateout("r15") words[3] => w3,
                lateout("rcx") _,
                lateout("rdx") _,
                lateout("r11") _,
            );
        }
        [w0, w1, w2, w3]
    }
}

/// Lets whoever else is ready run first.
pub fn give_way() {
    // SAFETY: as in `call`; there is no message.
    unsafe {
        asm!(
            "mov rcx, rsp",
            "lea rdx, [rip + 2f]",
            "2: sysenter",
            inlateout("rax") YIELD => _,
            lateout("rcx") _,
            lateout("rdx") _,
            lateout("r11") _,
        );
    }
}

// How many messages this thread has sent to each server. Rust has no stable way to say "of a thread" without
// its standard library. Weak and hidden: a program that has this file twice counts once.
global_asm!(
    ".pushsection .tbss.libtrace_sent, \"awT\", @nobits",
    ".weak libtrace_sent",
    ".hidden libtrace_sent",
    ".balign 4",
    "libtrace_sent: .zero 8",
    ".popsection",
);

/// The shape of this thread's next message to a server. It counts them, so that a message which is sent
/// twice because the thread was stopped in the middle of it is done once.
fn shape(server: Server, kind: u64) -> u64 {
    let mut count = 1u32;
    // SAFETY: the variable is this thread's and has a word for each server. It is read and counted up in one
    // instruction, so that a signal handler's messages have numbers of their own; locked, for threads that
    // were made without a thread pointer of their own and share it.
    unsafe {
        asm!(
            "mov {sent}, qword ptr [rip + libtrace_sent@GOTTPOFF]",
            "lock xadd dword ptr fs:[{sent} + 4 * {server}], {count:e}",
            sent = out(reg) _,
            server = in(reg) server as u64,
            count = inout(reg) count,
            options(nostack),
        );
    }
    let number = (count % u32::from(MAX_NUMBER)) as u16 + 1;
    client::label(kind, number) << LABEL | WORDS
}
