//! The root task's life after boot: it waits for the end.

use crate::bootinfo::IO_PORTS;
use crate::server::{Process, Server};
use core::fmt::{self, Write};
use rt::boot::init::POWER_OFF;
use rt::cap::Endpoint;
use rt::fault::Fault;
use rt::log;
use rt::syscall::Received;

/// The port of the control channel.
const CONTROL: u16 = 0xe8;
/// The port that ends the machine.
const EXIT: u16 = 0x501;
/// COM1's line status,
const LINE_STATUS: u16 = 0x3fd;
/// and the bits in it that say that everything has been sent.
const IDLE: u8 = 0x60;

/// How often the tracer is started again after a fault: what faults each time will not stop doing so.
const MAX_RESTARTS: u32 = 64;

/// Waits for a server's fault or for procmgr's word that all is over.
pub fn supervise(endpoint: Endpoint, servers: &[Process]) -> ! {
    let mut restarts = 0;
    loop {
        let received = endpoint.recv();
        let sender = Server::from_badge(received.badge);
        match servers
            .iter()
            .find(|process| Some(process.server) == sender)
        {
            Some(process) if process.server == Server::Procmgr && is_power_off(&received) => {
                end_with_status(received.words[0] as u32)
            }
            Some(process) if process.server == Server::Tracer && restarts < MAX_RESTARTS => {
                restarts += 1;
                say(process, &received);
                process.start(None);
            }
            Some(process) => server_died(process, &received),
            // Only servers have a capability to the endpoint, and each has a badge.
            None => {}
        }
    }
}

fn is_power_off(received: &Received) -> bool {
    received.info.label() == POWER_OFF && received.info.words() == 1
}

fn end_with_status(status: u32) -> ! {
    match status & 0x7f {
        0 => end(format_args!("exit {}", status >> 8 & 0xff)),
        signal => end(format_args!("signal {signal}")),
    }
}

/// Without the process manager or the file server no program can go on.
fn server_died(process: &Process, received: &Received) -> ! {
    say(process, received);
    let (name, fault) = (process.server.name(), Fault::decode(received));
    end(format_args!("failed {name}: {fault:x?}"))
}

fn say(process: &Process, received: &Received) {
    let name = process.server.name();
    let fault = Fault::decode(received);
    log!("{name} has faulted: {fault:x?}");
    match process.tcb.read_registers() {
        Ok(regs) => log!("{regs:#x?}"),
        Err(error) => log!("its registers cannot be read: {error:?}"),
    }
}

/// Says how it ended, once everything the program wrote has left COM1, and ends the machine.
pub fn end(how: fmt::Arguments<'_>) -> ! {
    // QEMU leaves at once, with what is still in the device. If nobody takes it, it is lost.
    let sent = |_: &u32| {
        IO_PORTS
            .in8(LINE_STATUS)
            .is_ok_and(|status| status & IDLE == IDLE)
    };
    (0..1_000_000).find(sent);
    // Neither can fail: all ports are ours.
    let _ = writeln!(Control, "{how}");
    let _ = IO_PORTS.out32(EXIT, 0);
    loop {
        rt::syscall::yield_now();
    }
}

struct Control;

impl Write for Control {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            IO_PORTS.out8(CONTROL, byte).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}
