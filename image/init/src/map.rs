//! The capability map: what every server may do.
//!
//! The table is the single place where a server gets a capability, [`TABLE`]; what procmgr gets
//! beside it, memory and the archive's frames, is in `handover.rs`.
//!
//! | server | slot | capability |
//! |---|---|---|
//! | all | LOG | I/O port 0xe9, the log |
//! | all | SUPERVISOR | the root task's endpoint, badged with the server: its faults |
//! | procmgr | CNODE | its own CSpace |
//! | procmgr | VSPACE | its own address space, for the window |
//! | procmgr | ENDPOINT | its endpoint: tasks, tracer, fs and its notification arrive there |
//! | procmgr | TRACER_ENDPOINT | the tracer's endpoint, to give every task a badged copy |
//! | procmgr | TRACER_NOTIFICATION | the tracer's notification, badged: reports |
//! | procmgr | TIMER_PORTS, TIMER_IRQ | the timer (PIT): ports 0x40 to 0x43, pin 2 |
//! | procmgr | ASID_CONTROL, ASID_POOL | making address spaces |
//! | procmgr | UNTYPED.. | all memory that is left |
//! | procmgr | second level 0x800.. | the boot archive's frames, read-only |
//! | tracer | CNODE | its own CSpace, to receive TCBs and keep reply capabilities |
//! | tracer | ENDPOINT | its endpoint: tasks and its notification arrive there |
//! | tracer | PROCMGR | procmgr's endpoint, badged as the tracer |
//! | fs | PROCMGR | procmgr's endpoint, badged as fs |
//! | fs | CONSOLE_PORTS, CONSOLE_IRQ | COM1: ports 0x3f8 to 0x3ff, pin 4 (signals procmgr) |
//! | fs | EXPORT_PORT | I/O port 0xe7, the way out for programs' data |
//! | fs | DEBUGGER_PORTS, DEBUGGER_IRQ | COM2: ports 0x2f8 to 0x2ff, pin 3 (signals procmgr) |

use crate::bootinfo::{ASID_CONTROL, ASID_POOL, IO_PORTS};
use crate::objects::Objects;
use crate::server::Server::{self, Fs, Procmgr, Tracer};
use abi::TaskId;
use rt::cap::{ALL_RIGHTS, CPtr, IoPort, SEND};
use rt::slots::{LOG, SUPERVISOR, fs, procmgr, tracer};

/// Where a capability comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// The server's own CSpace.
    OwnCspace,
    /// The server's own address space.
    OwnSpace,
    /// One of the objects.
    Object(fn(&Objects) -> CPtr),
    /// One of the objects, to send to, with this badge; with 0 to give badged copies to others.
    Badged(fn(&Objects) -> CPtr, u64),
    /// The supervisor's endpoint with the server's badge.
    Supervisor,
    /// I/O ports.
    Ports(u16, u16),
    /// A capability of the root task itself.
    Own(CPtr),
}

use Source::*;

/// Server, slot, capability.
pub const TABLE: &[(Server, u64, Source)] = &[
    (Procmgr, LOG, Ports(0xe9, 0xe9)),
    (Procmgr, SUPERVISOR, Supervisor),
    (Procmgr, procmgr::CNODE, OwnCspace),
    (Procmgr, procmgr::VSPACE, OwnSpace),
    (Procmgr, procmgr::ENDPOINT, Object(|o| o.procmgr_endpoint)),
    (
        Procmgr,
        procmgr::TRACER_ENDPOINT,
        Badged(|o| o.tracer_endpoint, 0),
    ),
    (
        Procmgr,
        procmgr::TRACER_NOTIFICATION,
        Badged(|o| o.tracer_notification, tracer::REPORTS_BADGE),
    ),
    (Procmgr, procmgr::TIMER_PORTS, Ports(0x40, 0x43)),
    (Procmgr, procmgr::TIMER_IRQ, Object(|o| o.timer_irq)),
    (Procmgr, procmgr::ASID_CONTROL, Own(ASID_CONTROL.0)),
    (Procmgr, procmgr::ASID_POOL, Own(ASID_POOL.0)),
    (Tracer, LOG, Ports(0xe9, 0xe9)),
    (Tracer, SUPERVISOR, Supervisor),
    (Tracer, tracer::ENDPOINT, Object(|o| o.tracer_endpoint)),
    (
        Tracer,
        tracer::PROCMGR,
        Badged(|o| o.procmgr_endpoint, TaskId::TRACER.badge()),
    ),
    (Fs, LOG, Ports(0xe9, 0xe9)),
    (Fs, SUPERVISOR, Supervisor),
    (
        Fs,
        fs::PROCMGR,
        Badged(|o| o.procmgr_endpoint, TaskId::FS.badge()),
    ),
    (Fs, fs::CONSOLE_PORTS, Ports(0x3f8, 0x3ff)),
    (Fs, fs::CONSOLE_IRQ, Object(|o| o.console_irq)),
    (Fs, fs::EXPORT_PORT, Ports(0xe7, 0xe7)),
    (Fs, fs::DEBUGGER_PORTS, Ports(0x2f8, 0x2ff)),
    (Fs, fs::DEBUGGER_IRQ, Object(|o| o.debugger_irq)),
];

impl Source {
    /// The capability in the root task's CSpace, and the rights and the data word to copy it with.
    pub fn resolve(
        self,
        server: Server,
        objects: &Objects,
        own: (CPtr, u64),
        own_space: CPtr,
    ) -> (CPtr, u64, u64) {
        match self {
            OwnCspace => (own.0, ALL_RIGHTS, own.1),
            OwnSpace => (own_space, ALL_RIGHTS, 0),
            Object(object) => (object(objects), ALL_RIGHTS, 0),
            Badged(object, badge) => (object(objects), SEND, badge),
            Supervisor => (objects.supervisor, SEND, server.badge()),
            Ports(first, last) => (IO_PORTS.0, ALL_RIGHTS, IoPort::range(first, last)),
            Own(cap) => (cap, ALL_RIGHTS, 0),
        }
    }
}
