//! The procmgr server on the kernel.
#![no_std]
#![no_main]

extern crate alloc;

mod kernel;

use abi::wire::{Buffer, MAX};
use alloc::boxed::Box;
use kernel::{Incoming, Kernel, Said};
use procmgr::{Config, Procmgr};
use rt::boot::Startup;

rt::entry!(main);

fn main(startup: Startup) -> ! {
    let machine = startup
        .machine
        .expect("the root task describes the machine to procmgr");
    let mut kernel = Kernel::new(&machine);
    let mut procmgr = Box::new(Procmgr::new(Config {
        realtime_at_boot: machine.realtime_at_boot,
    }));
    let command = kernel.archive_bytes(machine.command_offset, machine.command_size);
    procmgr.start(&mut kernel, &command);
    drop(command);

    let (mut message, mut answer): (Buffer, Buffer) = ([0; MAX], [0; MAX]);
    let mut said: Said = (0, [0; 4]);
    loop {
        match kernel.receive(&mut said, &mut message) {
            Incoming::Trap(task, trap, ip) => {
                procmgr.on_trap(&mut kernel, task, trap, ip);
            }
            Incoming::Message(task) => {
                let (label, words) = said;
                match procmgr.on_message(&mut kernel, task, label, words) {
                    Some(answer) => kernel.answer_task(task, answer),
                    None => kernel.leave_message(),
                }
            }
            Incoming::Request(server, len) => {
                match procmgr.on_call(&mut kernel, server, &message[..len], &mut answer) {
                    Some((errno, len)) => kernel.answer(server, errno, &answer[..len]),
                    None => kernel.park(server),
                }
            }
            Incoming::Timer => procmgr.on_timer(&mut kernel),
            Incoming::Console => procmgr.on_console(&mut kernel),
        }
    }
}
