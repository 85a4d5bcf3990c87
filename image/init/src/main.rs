//! The root task: gives every server exactly the capabilities of one table ([`map`]), starts
//! them, and stays as their supervisor.
//!
//! It runs at the highest priority, so that nothing runs before all is ready, and waits from
//! then on.
#![no_std]
#![no_main]

mod archive;
mod bootinfo;
mod clock;
mod handover;
mod load;
mod map;
mod memory;
mod objects;
mod server;
mod space;
mod supervise;

use archive::BootArchive;
use bootinfo::{BootInfo, DEPTH, ROOT};
use memory::Memory;
use objects::Objects;
use rt::cap::{ALL_RIGHTS, Endpoint, IoPort, Notification};
use rt::log::PORT;
use rt::slots::LOG;
use server::{Process, Server};

rt::program!(dies);

/// The root task found itself broken: nobody else can say so.
fn dies() -> ! {
    supervise::end(format_args!("failed init: see the log"))
}

const STACK_SIZE: usize = 128 << 10;

#[repr(C, align(16))]
struct Stack([u8; STACK_SIZE]);

static mut STACK: Stack = Stack([0; STACK_SIZE]);

/// The kernel starts the root task without a stack, the address of its boot information in `rdi`.
// SAFETY: the name is the linker's entry point, and nobody else's.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    core::arch::naked_asm!(
        "lea rsp, [rip + {stack} + {size}]",
        "call {main}",
        stack = sym STACK,
        size = const STACK_SIZE,
        main = sym start,
    )
}

extern "C" fn start(info: &'static BootInfo) -> ! {
    // SAFETY: the kernel has put the buffer there for good.
    unsafe { rt::ipc_buffer::set(info.ipc_buffer as *mut _) };
    main(info)
}

fn main(info: &BootInfo) -> ! {
    let mut memory = Memory::new(info);
    open_log(&mut memory);
    space::prepare(&mut memory);
    let archive = BootArchive::find(info);
    let objects = Objects::new(&mut memory);
    let servers = Server::ALL
        .map(|server| Process::new(&mut memory, &objects, server, archive.file(server.path())));
    let [procmgr, tracer, fs] = &servers;

    let bind = |process: &Process, notification| {
        process
            .tcb
            .bind_notification(Notification(notification))
            .expect("neither is bound");
    };
    bind(procmgr, objects.procmgr_notification);
    bind(tracer, objects.tracer_notification);

    handover::prepare(&mut memory, procmgr, &archive);
    procmgr.start(Some(handover::finish(&mut memory, procmgr, &archive, info)));
    tracer.start(None);
    fs.start(None);
    supervise::supervise(Endpoint(objects.supervisor), &servers)
}

/// Puts the log's port where `rt` looks for it. The kernel has put the root task's own TCB there,
/// which must not go: it is the last capability.
fn open_log(memory: &mut Memory) {
    let tcb = memory.slot();
    ROOT.relocate((tcb, DEPTH), ROOT, (LOG, DEPTH))
        .expect("the new slot is empty");
    let (ports, log) = (bootinfo::IO_PORTS.0.0, IoPort::range(PORT, PORT));
    ROOT.mint((LOG, DEPTH), ROOT, (ports, DEPTH), ALL_RIGHTS, log)
        .expect("the slot is empty now");
}
